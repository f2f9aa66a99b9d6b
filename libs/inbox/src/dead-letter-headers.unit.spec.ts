import { describe, expect, it } from '@jest/globals';
import { RagmeshError } from '@ragmesh/errors';
import { readRetryState, retryHeaders, type BusRecord } from '@ragmesh/messaging';
import { deadLetterHeaders } from './dead-letter-headers.js';

const handlerId = 'vector.index-chunks';
const headers = { ce_id: 'e1', ce_type: 'chunks.embedded' };
const original: BusRecord = {
  ...{ topic: 'chunks.embedded', partition: 0, offset: 51, timestamp: 0 },
  ...{ key: 'd', headers, value: new Uint8Array() },
};
const retry: BusRecord = { ...original, topic: 'chunks.embedded.vector.retry', partition: 1, offset: 7 };
const [firstFailed, lastFailed] = [new Date('2026-01-02T03:04:05.678Z'), new Date('2026-01-02T04:00:00.000Z')];
const error = new RagmeshError('VECTOR.UNAVAILABLE', 'The index is away.');

function headersOf(record: BusRecord, reason = error): Record<string, string> {
  const { attempt } = readRetryState(record);
  return deadLetterHeaders({ record, handlerId, attempt, error: reason }, lastFailed);
}
const reasons = {
  'ragmesh-dlt-reason': 'The index is away.',
  'ragmesh-dlt-code': 'VECTOR.UNAVAILABLE',
  'ragmesh-dlt-handler': handlerId,
  'ragmesh-dlt-failed-at': lastFailed.toISOString(),
  'ragmesh-origin': 'chunks.embedded/0/51',
};

describe('the copy for the dead-letter topic', () => {
  it('of an event that failed once says why, where it lay and when that was', () => {
    expect(headersOf(original)).toEqual({
      ...headers,
      ...reasons,
      'ragmesh-dlt-attempts': '1',
      'ragmesh-first-failed-at': lastFailed.toISOString(),
    });
  });

  it('of one that was tried again says where it lay at first, and when it failed at first and at last', () => {
    const record = { ...retry, headers: retryHeaders(original, handlerId, 6, firstFailed) };
    expect(headersOf(record)).toEqual({
      ...record.headers,
      ...reasons,
      'ragmesh-dlt-attempts': '6',
      'ragmesh-first-failed-at': firstFailed.toISOString(),
    });
  });

  it('has room for its event, however much there is to say', () => {
    const endless = new RagmeshError('VECTOR.UNAVAILABLE', 'It says why. '.repeat(100_000));
    expect(headersOf(original, endless)['ragmesh-dlt-reason']).toMatch(/^It says why\. .{987}$/);
  });
});
