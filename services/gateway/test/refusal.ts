import { expect } from '@jest/globals';

/** What a refused request is told. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly field?: string;
  readonly limit?: number;
}

/** Milliseconds a refusal may take; the best of some tries counts, so that a busy machine is not mistaken for a slow edge. */
const AT_ONCE_MS = 500;
const TRIES = 10;

async function fastest(send: () => Promise<Response>): Promise<{ response: Response; milliseconds: number }> {
  let milliseconds = Infinity;
  for (let tries = 1; ; tries += 1) {
    const started = performance.now();
    const response = await send();
    milliseconds = Math.min(milliseconds, performance.now() - started);
    if (milliseconds < AT_ONCE_MS || tries === TRIES) return { response, milliseconds };
    await response.body?.cancel();
  }
}

/** Sends, and expects this refusal: a problem with code, field and limit, at once, and without a trace of the code. */
export async function expectRefusal(send: () => Promise<Response>, expected: Refusal): Promise<void> {
  const { response, milliseconds } = await fastest(send);
  const problem = (await response.json()) as Record<string, unknown>;
  expect({
    status: response.status,
    code: problem['code'],
    field: problem['field'],
    limit: problem['limit'],
  }).toEqual({
    field: undefined,
    limit: undefined,
    ...expected,
    ...(expected.field ? {} : { field: problem['field'] }),
  });
  expect(milliseconds).toBeLessThan(AT_ONCE_MS);
  expect(response.headers.get('content-type')).toContain('application/problem+json');
  expect(problem).toMatchObject({
    status: response.status,
    retryable: false,
    retry_after: null,
    request_id: response.headers.get('x-request-id'),
  });
  for (const member of ['type', 'title', 'detail', 'help', 'trace_id'])
    expect(problem[member]).toEqual(expect.any(String));
  if (expected.field && expected.field !== 'body')
    expect(String(problem['detail']).toLowerCase()).toContain(expected.field.split(/[.[]/)[0]!.toLowerCase());
  if (expected.limit) expect(String(problem['detail'])).toContain(String(expected.limit));
  expect(JSON.stringify(problem)).not.toMatch(/node_modules|\.[jt]s:\d|\bat \w+\.\w+ \(/);
}
