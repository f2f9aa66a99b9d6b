import { describe, expect, it } from '@jest/globals';
import { RagmeshError } from '@ragmesh/errors';
import type { Attempt, BusRecord, EventHandler, Message } from '@ragmesh/messaging';
import type { Database } from '@ragmesh/postgres';
import type { Inbox } from '../src/inbox.js';

export const handlerId = 'vector.index-chunks';

export const first = (eventId: string): Attempt => ({ eventId, handlerId, attempt: 1 });
export const second = (eventId: string): Attempt => ({ eventId, handlerId, attempt: 2 });

/** Puts the first attempt at an event off. */
export async function putOff(inbox: Inbox, eventId: string): Promise<void> {
  const headers = { ce_id: eventId, ce_type: 'chunks.embedded', ce_subject: 'd', ce_tenant: 'default' };
  const place = { topic: 'chunks.embedded', partition: 0, offset: 1, timestamp: 0 };
  const record: BusRecord = { ...place, key: 'd', headers, value: new Uint8Array() };
  const error = new RagmeshError('STORAGE.UNAVAILABLE', 'Away.');
  await inbox.scheduleRetry({ record, handlerId, attempt: 1, error }, 0);
}

/** Of a server that crashed under a handler that outlived it. */
export function describeLostStarts(rig: () => { readonly inbox: Inbox; readonly database: Database }): void {
  describe('a start that was lost', () => {
    const begunAndLost = async (eventId: string): Promise<void> => {
      await rig().inbox.begin([first(eventId)]);
      await rig().database.query('DELETE FROM inbox WHERE event_id = $1', [eventId]);
    };

    it('does not make the effect a repetition, which it is the second time', async () => {
      await begunAndLost('e5');
      const message = { id: 'e5', subject: 'd' } as Message;
      const commit = () => rig().inbox.commit({ id: handlerId } as EventHandler, message, async () => undefined);
      expect(await commit()).toEqual({ kind: 'ack' });
      expect(await commit()).toMatchObject({ kind: 'skip' });
      expect(await rig().inbox.begin([first('e5')])).toEqual([{ kind: 'settled' }]);
    });

    it('does not keep its event from being put off', async () => {
      await begunAndLost('e6');
      await putOff(rig().inbox, 'e6');
      const starts = await rig().inbox.begin([first('e6'), second('e6')]);
      expect(starts).toEqual([{ kind: 'settled' }, { kind: 'open', starts: 0 }]);
      const copies = await rig().database.query(`SELECT FROM outbox WHERE headers ->> 'ce_id' = 'e6'`);
      expect(copies.rowCount).toBe(1);
    });
  });
}
