import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { InMemorySpanExporter, SimpleSpanProcessor, type ReadableSpan } from '@opentelemetry/sdk-trace-node';
import { eventually } from '@ragmesh/testing';
import { newDataDir, removeDataDir, startMesh, type Mesh } from './mesh-fixture.js';

/** Of the caller: its span is the parent of the first of ours. */
const CALLER = '00f067aa0ba902b7';

const exporter = new InMemorySpanExporter();
let dataDir: string;
let mesh: Mesh;
beforeAll(async () => {
  dataDir = await newDataDir();
  mesh = await startMesh(dataDir, { spanProcessors: [new SimpleSpanProcessor(exporter)] });
});
afterAll(async () => {
  await mesh.close();
  await removeDataDir(dataDir);
});

/** The spans of a trace once those asked for are there and each has its parent: a span may end after those it led to. */
async function exported(
  traceId: string,
  ...wanted: readonly ((span: ReadableSpan) => boolean)[]
): Promise<ReadableSpan[]> {
  let spans: ReadableSpan[] = [];
  const incomplete = () => `the trace is complete: ${spans.map(({ name }) => name).join(', ')}`;
  return eventually(incomplete, () => {
    spans = exporter.getFinishedSpans().filter((span) => span.spanContext().traceId === traceId);
    const ids = new Set([CALLER, ...spans.map((span) => span.spanContext().spanId)]);
    const isWhole = spans.every(({ parentSpanContext }) => ids.has(parentSpanContext?.spanId ?? ''));
    return isWhole && wanted.every((isOne) => spans.some(isOne)) && spans;
  });
}

/** Names from the root of a trace down to a span. */
function pathTo(span: ReadableSpan, spans: readonly ReadableSpan[]): string[] {
  const parent = spans.find((each) => each.spanContext().spanId === span.parentSpanContext?.spanId);
  return parent ? [...pathTo(parent, spans), span.name] : [span.name];
}

const traceparent = (traceId: string) => ({ traceparent: `00-${traceId}-${CALLER}-01` });

describe('one trace', () => {
  it('leads from an upload through every event to document.ready', async () => {
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const { body } = await mesh.api.upload({ text: 'A traced sentence.' }, traceparent(traceId));
    await mesh.api.terminal(body['id'] as string);
    const isReady = ({ name, attributes }: ReadableSpan): boolean =>
      name === 'process document.ready' && attributes['ragmesh.service'] === 'knowledge';
    const spans = await exported(traceId, isReady);
    const events = pathTo(spans.find(isReady)!, spans).filter((name) => name.startsWith('process '));
    expect(events).toEqual([
      'process document.created',
      'process document.chunked',
      'process chunks.embedded',
      'process vector.indexed',
      'process vector.show-version',
      'process vector.updated',
      'process document.ready',
    ]);
  });

  it('leads from a question to its answer', async () => {
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const { status } = await mesh.api.call('POST', '/v1/query', { query: 'What is traced?' }, traceparent(traceId));
    expect(status).toBe(200);
    const calls = ['embedding.Embed', 'vector.SearchHybrid', 'generation.Generate'];
    const spans = await exported(traceId, ...calls.map((call) => (span: ReadableSpan) => span.name === call));
    const pathOf = (name: string): string[] =>
      pathTo(
        spans.find((span) => span.name === name)!,
        spans,
      );
    for (const call of calls) {
      expect(pathOf(call)).toEqual(expect.arrayContaining(['retrieval.Query', call]));
    }
  });

  it('is named by the timeline of its document', async () => {
    const traceId = 'a3ce929d0e0e47364bf92f3577b34da6';
    const { body } = await mesh.api.upload({ text: 'Another traced sentence.' }, traceparent(traceId));
    const timeline = await mesh.api.call('GET', `/v1/documents/${body['id'] as string}/timeline`);
    expect(timeline.body['trace_id']).toBe(traceId);
  });
});
