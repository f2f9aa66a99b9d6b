import { describe, expect, it } from '@jest/globals';
import { originTopic, readRetryState, retryHeaders } from './retry-headers.js';

const record = (topic: string, headers: Record<string, string> = {}) => ({
  ...{ topic, headers, partition: 2, offset: 5, timestamp: 0 },
  key: 'd',
  value: new Uint8Array(0),
});

describe('what a copy says of its original', () => {
  it('is read back from its retry topic, and of a letter', () => {
    const headers = retryHeaders(record('chunks.embedded'), 'vector.index-chunks', 2, new Date(0));
    for (const topic of ['chunks.embedded.vector.retry', 'chunks.embedded'])
      expect(readRetryState(record(topic, headers))).toEqual({
        attempt: 2,
        handlerId: 'vector.index-chunks',
        origin: 'chunks.embedded/2/5',
        firstFailedAt: '1970-01-01T00:00:00.000Z',
      });
  });

  it.each(['', 'nowhere', 'nowhere/0/1', 'chunks.embedded/x/1', 'chunks.embedded/0/1/2', `${'a'.repeat(9_000)}/0/1`])(
    'is not believed of another place: %#',
    (origin) => {
      const state = readRetryState(record('chunks.embedded', { 'ragmesh-origin': origin }));
      expect(state.origin).toBe('chunks.embedded/2/5');
      expect(originTopic(state)).toBe('chunks.embedded');
    },
  );

  it('has a topic also when somebody wrote to a retry topic himself', () => {
    const state = readRetryState(record('chunks.embedded.vector.retry'));
    expect(state.origin).toBe('chunks.embedded.vector.retry/2/5');
    expect(originTopic(state)).toBe('chunks.embedded');
  });

  it.each(['0', '-1', '1.5', '99999999999', 'NaN', '\0'])('is the first attempt when it says %j', (attempt) => {
    expect(readRetryState(record('chunks.embedded', { 'ragmesh-attempt': attempt })).attempt).toBe(1);
  });

  it.each(['yesterday', '2026-02-31', '\0'])('has a time a table takes, or none: %j', (time) => {
    const { firstFailedAt } = readRetryState(record('chunks.embedded', { 'ragmesh-first-failed-at': time }));
    expect(firstFailedAt ?? '2026-03-03T00:00:00.000Z').toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });
});
