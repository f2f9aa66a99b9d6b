import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startEdgeAlone, type EdgeAlone } from './edge-alone.js';
import { expectRefusal, type Refusal } from './refusal.js';

let edge: EdgeAlone;
beforeAll(async () => void (edge = await startEdgeAlone()));
afterAll(() => edge.close());

const json = (path: string, body: object): Promise<Response> =>
  fetch(`${edge.url}${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });

const cases: [what: string, send: () => Promise<Response>, refusal: Refusal][] = [
  [
    'dead letters since some time',
    () => fetch(`${edge.url}/v1/admin/dead-letters?since=yesterday`),
    { status: 422, code: 'REQUEST.INVALID', field: 'since' },
  ],
  [
    'usage since before there are dates',
    () => fetch(`${edge.url}/v1/admin/usage?since=0000-01-01T00:00:00Z`),
    { status: 422, code: 'REQUEST.INVALID', field: 'since' },
  ],
  [
    'usage until after there are dates',
    () => fetch(`${edge.url}/v1/admin/usage?until=9999-12-31T23:59:59-01:00`),
    { status: 422, code: 'REQUEST.INVALID', field: 'until' },
  ],
  [
    'dead letters of a service that is none',
    () => fetch(`${edge.url}/v1/admin/dead-letters?service=postman`),
    { status: 422, code: 'REQUEST.INVALID', field: 'service' },
  ],
  [
    'dead letters of an unknown status',
    () => fetch(`${edge.url}/v1/admin/dead-letters?status=lost`),
    { status: 422, code: 'REQUEST.INVALID', field: 'status' },
  ],
  [
    'a dead letter of nobody',
    () => fetch(`${edge.url}/v1/admin/dead-letters/nothing`),
    { status: 404, code: 'DEAD_LETTER.NOT_FOUND' },
  ],
  [
    'a dead letter of nobody whose topic has a prefix',
    () => fetch(`${edge.url}/v1/admin/dead-letters/_dev.document.uploaded:0:1:nothing`),
    { status: 404, code: 'DEAD_LETTER.NOT_FOUND' },
  ],
  [
    'a replay of such a letter',
    () => json('/v1/admin/dead-letters/replay', { ids: ['_dev.document.uploaded:0:1:nothing'] }),
    { status: 404, code: 'DEAD_LETTER.NOT_FOUND' },
  ],
  [
    'a dead letter whose id is too long',
    () => fetch(`${edge.url}/v1/admin/dead-letters/${'a'.repeat(201)}`),
    { status: 422, code: 'REQUEST.INVALID', field: 'id', limit: 200 },
  ],
  [
    'a replay of nothing',
    () => json('/v1/admin/dead-letters/replay', {}),
    { status: 422, code: 'REQUEST.INVALID', field: 'ids' },
  ],
  [
    'a replay by id and by reason',
    () => json('/v1/admin/dead-letters/replay', { ids: ['a'], reason: 'STORAGE.FULL' }),
    { status: 422, code: 'REQUEST.INVALID', field: 'ids' },
  ],
  [
    'a replay of everything',
    () => json('/v1/admin/dead-letters/replay', { filter: {} }),
    { status: 422, code: 'REQUEST.INVALID', field: 'filter' },
  ],
  [
    'a replay by an unknown field',
    () => json('/v1/admin/dead-letters/replay', { filter: { colour: 'red' } }),
    { status: 422, code: 'REQUEST.INVALID', field: 'filter.colour' },
  ],
  [
    'a replay of too many',
    () => json('/v1/admin/dead-letters/replay', { reason: 'STORAGE.FULL', limit: 1001 }),
    { status: 422, code: 'REQUEST.INVALID', field: 'limit', limit: 1000 },
  ],
  [
    'a replay too fast',
    () => json('/v1/admin/dead-letters/replay', { reason: 'STORAGE.FULL', rate: 1001 }),
    { status: 422, code: 'REQUEST.INVALID', field: 'rate', limit: 1000 },
  ],
  [
    'a replay of a letter of nobody',
    () => json('/v1/admin/dead-letters/replay', { ids: ['nothing'] }),
    { status: 404, code: 'DEAD_LETTER.NOT_FOUND' },
  ],
  [
    'a discard without a note',
    () => json('/v1/admin/dead-letters/discard', { ids: ['a'] }),
    { status: 422, code: 'REQUEST.INVALID', field: 'note' },
  ],
  [
    'a discard with a blank note',
    () => json('/v1/admin/dead-letters/discard', { ids: ['a'], note: '  ' }),
    { status: 422, code: 'REQUEST.INVALID', field: 'note', limit: 1 },
  ],
  [
    'sagas of an unknown state',
    () => fetch(`${edge.url}/v1/admin/sagas?state=lost`),
    { status: 422, code: 'REQUEST.INVALID', field: 'state' },
  ],
  [
    'sagas overdue or so',
    () => fetch(`${edge.url}/v1/admin/sagas?overdue=maybe`),
    { status: 422, code: 'REQUEST.INVALID', field: 'overdue' },
  ],
  [
    'a page of sagas too long',
    () => fetch(`${edge.url}/v1/admin/sagas?limit=201`),
    { status: 422, code: 'REQUEST.INVALID', field: 'limit', limit: 200 },
  ],
  [
    'a saga whose id is none',
    () => fetch(`${edge.url}/v1/admin/sagas/document`),
    { status: 422, code: 'REQUEST.INVALID', field: 'id' },
  ],
  [
    'a saga of nobody',
    () => json('/v1/admin/sagas/nobody.00000000-0000-4000-8000-000000000000/resume', {}),
    { status: 404, code: 'SAGA.NOT_FOUND' },
  ],
  [
    'an abort without a reason',
    () => json('/v1/admin/sagas/document.00000000-0000-4000-8000-000000000000/abort', {}),
    { status: 422, code: 'REQUEST.INVALID', field: 'reason' },
  ],
  [
    'an abort with too much of a reason',
    () => json('/v1/admin/sagas/document.00000000-0000-4000-8000-000000000000/abort', { reason: 'x'.repeat(1001) }),
    { status: 422, code: 'REQUEST.INVALID', field: 'reason', limit: 1000 },
  ],
];

it('letters about a model are asked for by its name, which no id of a document could be', async () => {
  const answer = await fetch(`${edge.url}/v1/admin/dead-letters?service=model&subject=Xenova/bge-small@1a2b3c`);
  expect(await answer.json()).toMatchObject({ code: 'DEPENDENCY.UNAVAILABLE' }); // it got as far as the service
});

describe('bad input of an operator', () => {
  it.each(cases)('%s is refused with code, field and limit, at once', (_what, send, expected) =>
    expectRefusal(send, expected),
  );
});
