import { expect, it } from '@jest/globals';
import { eventually } from '@ragmesh/testing';
import type { EightProcesses } from './eight-processes.js';
import { pathTo, type OtlpReceiver, type ReceivedSpan } from './otlp-receiver.js';

/** Of the caller: its span is the parent of the first of ours. */
const CALLER = '00f067aa0ba902b7';
/** `SPAN_KIND_SERVER`. */
const SERVER = 2;
/** A span begins at a whole millisecond, whatever is left of it cut off: ends in two processes may seem that much swapped. */
const CLOCK_ERROR_NS = 2_000_000n;
const traceparent = (traceId: string) => ({ traceparent: `00-${traceId}-${CALLER}-01` });

/** Every span but the one the caller began hangs on another span of the trace. */
const loose = (spans: readonly ReceivedSpan[]): ReceivedSpan[] =>
  spans.filter(({ parentSpanId }) => parentSpanId !== CALLER && !spans.some(({ spanId }) => spanId === parentSpanId));

/**
 * The spans of a trace once those asked for are there and each has its parent: processes send theirs each for itself, some
 * time after they ended, so that a last step may arrive before the one that led to it.
 */
async function exported(
  receiver: OtlpReceiver,
  traceId: string,
  isThere: (spans: readonly ReceivedSpan[]) => boolean,
): Promise<ReceivedSpan[]> {
  let spans: ReceivedSpan[] = [];
  const told = (of: readonly ReceivedSpan[]) => of.map(({ service, name }) => `${service} ${name}`).join(', ');
  const incomplete = () => `the trace is complete: ${told(spans)}; without their parent: ${told(loose(spans))}`;
  return eventually(incomplete, () => {
    spans = receiver.trace(traceId);
    return isThere(spans) && loose(spans).length === 0 && spans;
  });
}

const has = (spans: readonly ReceivedSpan[], service: string, name: string): boolean =>
  spans.some((span) => span.service === `ragmesh-${service}` && span.name === name);

const find = (spans: readonly ReceivedSpan[], service: string, name: string): ReceivedSpan =>
  spans.find((span) => span.service === `ragmesh-${service}` && span.name === name)!;

/** What a trace backend gets of eight processes. */
export function tellsOneStory(eight: () => EightProcesses, receiver: () => OtlpReceiver): void {
  it('tells an upload as one trace, through every service to document.ready', async () => {
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const { body } = await eight().api.upload({ text: 'A sentence that is traced.' }, traceparent(traceId));
    await eight().api.terminal(String(body['id']));
    const spans = await exported(
      receiver(),
      traceId,
      (seen) => has(seen, 'knowledge', 'process document.ready') && has(seen, 'gateway', 'POST /v1/documents'),
    );
    const path = pathTo(find(spans, 'knowledge', 'process document.ready'), spans);
    expect(path[0]).toBe('gateway POST /v1/documents');
    expect(path.filter((step) => step.includes(' process '))).toEqual([
      'document process document.created',
      'embedding process document.chunked',
      'vector process chunks.embedded',
      'document process vector.indexed',
      'vector process vector.show-version',
      'document process vector.updated',
      'knowledge process document.ready',
    ]);
  });

  it('tells a question as one trace, from the request to the last token', async () => {
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const question = { query: 'Which sentence is traced?', stream: true };
    const { status, body } = await eight().api.call('POST', '/v1/query', question, traceparent(traceId));
    expect(status).toBe(200);
    expect(body['text']).toMatch(/^event: delta$[^]*^event: done$/m);
    const calls = [
      ['retrieval', 'RetrievalGrpcController.query'],
      ['embedding', 'EmbeddingGrpcController.embed'],
      ['vector', 'VectorGrpcController.searchHybrid'],
      ['generation', 'GenerationGrpcController.generate'],
    ] as const;
    const spans = await exported(
      receiver(),
      traceId,
      (seen) => calls.every(([service, name]) => has(seen, service, name)) && has(seen, 'gateway', 'POST /v1/query'),
    );
    for (const [service, name] of calls.slice(1)) {
      const path = pathTo(find(spans, service, name), spans);
      expect(path[0]).toBe('gateway POST /v1/query');
      expect(path).toContain('retrieval RetrievalGrpcController.query');
    }
    const answered = BigInt(find(spans, 'generation', 'GenerationGrpcController.generate').endTimeUnixNano);
    const ended = BigInt(find(spans, 'gateway', 'POST /v1/query').endTimeUnixNano);
    expect(ended).toBeGreaterThan(answered - CLOCK_ERROR_NS);
  });

  it('names the model service, too, when it is asked', async () => {
    const traceId = 'a3ce929d0e0e47364bf92f3577b34da6';
    await eight().api.call('GET', '/v1/admin/models', undefined, traceparent(traceId));
    const spans = await exported(receiver(), traceId, (seen) =>
      ['ragmesh-model', 'ragmesh-gateway'].every((name) =>
        seen.some(({ service, kind }) => service === name && kind === SERVER),
      ),
    );
    const asked = spans.find(({ service }) => service === 'ragmesh-model');
    expect(pathTo(asked, spans)[0]).toBe('gateway GET /v1/admin/models');
  });
}
