import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { histogram, renderMetrics } from './metrics.js';
import { currentTraceId, withSpan } from './tracing.js';
import { startTracing } from './tracing-setup.js';

const accept = 'application/openmetrics-text;version=1.0.0';
const stage = { stage: 'parse' };
let stop: () => Promise<void>;

const bucketsOf = (text: string, labels: RegExp): string[] =>
  text.split('\n').filter((line) => line.startsWith('ragmesh_stage_duration_seconds_bucket') && labels.test(line));

beforeAll(async () => {
  stop = await startTracing({ serviceName: 'spec', processors: [new SimpleSpanProcessor(new InMemorySpanExporter())] });
});
afterAll(() => stop());

describe('exemplars', () => {
  it('lead from the bucket an observation fell into to its trace, for who reads OpenMetrics', async () => {
    const traceId = await withSpan('slow', {}, async () => {
      histogram('ragmesh_stage_duration_seconds').observe(stage, 0.0005);
      histogram('ragmesh_stage_duration_seconds').observe(stage, 0.3);
      histogram('ragmesh_stage_duration_seconds').startTimer({ stage: 'timed' })();
      return currentTraceId();
    });
    const { body } = await renderMetrics(accept);
    const lines = bucketsOf(body, /stage="parse"/);
    expect(lines.find((line) => line.includes('le="0.5"'))).toMatch(
      new RegExp(String.raw`\} 2 # \{trace_id="${traceId}"\} 0\.3 \d{10}(\.\d+)?$`),
    );
    expect(lines.find((line) => line.includes('le="0.001"'))).toContain(`# {trace_id="${traceId}"}`);
    expect(lines.find((line) => line.includes('le="1"'))).not.toContain('#');
    const timed = bucketsOf(body, /stage="timed"/).filter((line) => line.includes('#'));
    expect(timed).toEqual([expect.stringContaining(`# {trace_id="${traceId}"}`)]);
    expect((await renderMetrics('text/plain')).body).not.toContain('trace_id');
  });

  it('take an observation beyond the last bound, and one without labels', async () => {
    await withSpan('slower', {}, async () => {
      histogram('ragmesh_stage_duration_seconds').observe({ stage: 'embed' }, 1e6);
      histogram('ragmesh_freshness_seconds').observe(1.5);
    });
    const { body } = await renderMetrics(accept);
    expect(bucketsOf(body, /stage="embed"/).at(-1)).toMatch(/le="\+Inf".* # \{trace_id="\w{32}"\} 1000000 /);
    expect(body).toMatch(/ragmesh_freshness_seconds_bucket\{le="2"\} 1 # \{trace_id="\w{32}"\} 1.5 /);
  });

  it('are not made outside of a trace', async () => {
    histogram('ragmesh_stage_duration_seconds').observe({ stage: 'index' }, 0.3);
    expect(bucketsOf((await renderMetrics(accept)).body, /stage="index"/).join('\n')).not.toContain('#');
  });
});
