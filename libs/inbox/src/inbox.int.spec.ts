import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RagmeshError } from '@ragmesh/errors';
import type { Attempt, BusRecord } from '@ragmesh/messaging';
import { Outbox, outboxMigrations } from '@ragmesh/outbox';
import { Database, EmbeddedPostgres, createPool, migrate } from '@ragmesh/postgres';
import { Inbox, inboxMigrations } from './index.js';

const handlerId = 'vector.index-chunks';
let folder: string;
let server: EmbeddedPostgres;
let database: Database;
let inbox: Inbox;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ragmesh-inbox-'));
  server = await EmbeddedPostgres.start(folder);
  await migrate(server.url('inbox'), outboxMigrations, inboxMigrations);
  database = new Database(createPool(server.url('inbox'), { max: 3 }));
  inbox = new Inbox(database, new Outbox(database, 'vector'), 'vector');
});
afterAll(async () => {
  await database.close();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const first = (eventId: string): Attempt => ({ eventId, handlerId, attempt: 1 });
const second = (eventId: string): Attempt => ({ eventId, handlerId, attempt: 2 });

async function putOff(eventId: string): Promise<void> {
  const headers = { ce_id: eventId, ce_type: 'chunks.embedded', ce_subject: 'd', ce_tenant: 'default' };
  const place = { topic: 'chunks.embedded', partition: 0, offset: 1, timestamp: 0 };
  const record: BusRecord = { ...place, key: 'd', headers, value: new Uint8Array() };
  await inbox.scheduleRetry(
    { record, handlerId, attempt: 1, error: new RagmeshError('STORAGE.UNAVAILABLE', 'Away.') },
    0,
  );
}

describe('starts in the inbox', () => {
  it('are new once, and counted from then on', async () => {
    expect(await inbox.begin([first('e1')])).toEqual([{ kind: 'open', starts: 0 }]);
    expect(await inbox.begin([first('e1')])).toEqual([{ kind: 'open', starts: 1 }]);
    await inbox.beginAgain(first('e1'));
    expect(await inbox.begin([first('e1')])).toEqual([{ kind: 'open', starts: 2 }]);
  });

  it('of an attempt that was put off are settled, those of its retry are not, also when both come at once', async () => {
    await inbox.begin([first('e2')]);
    await putOff('e2');
    expect(await inbox.begin([first('e2'), second('e2')])).toEqual([{ kind: 'settled' }, { kind: 'open', starts: 0 }]);
    expect(await inbox.begin([first('e2'), second('e2')])).toEqual([{ kind: 'settled' }, { kind: 'open', starts: 1 }]);
  });

  it('of the same record twice at once are one', async () => {
    expect(await inbox.begin([first('e3'), first('e3')])).toEqual([{ kind: 'open', starts: 0 }, { kind: 'settled' }]);
  });
});
