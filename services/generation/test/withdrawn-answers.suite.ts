import type { DescMessage, MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, it } from '@jest/globals';
import { catalogue, type EventSpec, type generationV1 } from '@ragmesh/contracts';
import type { GrpcClient } from '@ragmesh/grpc';
import { encodeEvent, partitionForKey, type EmbeddedBusDriver } from '@ragmesh/messaging';
import { inContext } from '@ragmesh/observability';
import type { Database } from '@ragmesh/postgres';
import { eventually } from '@ragmesh/testing';
import type { ConversationRepository } from '../src/adapters/conversation.repository.js';

interface Context {
  readonly bus: EmbeddedBusDriver;
  readonly repository: ConversationRepository;
  readonly database: Database;
  readonly conversations: GrpcClient<typeof generationV1.ConversationService>;
}

async function tell<Desc extends DescMessage>(
  bus: EmbeddedBusDriver,
  spec: EventSpec<Desc>,
  payload: MessageInitShape<Desc>,
): Promise<void> {
  const context = { source: '/ragmesh/spec', tenant: 'quoting', actor: 'spec', correlationId: 'r', trace: {} };
  const { topic, key, headers, value } = encodeEvent(spec, 'key', payload, context);
  const partition = partitionForKey(key, bus.partitionsOf(topic));
  await bus.publish([{ topic, key, headers, value, partition }]);
}

/** What conversations keep of documents that are gone. */
export function withdrawnAnswers(context: () => Context): void {
  describe('answers in conversations', () => {
    const place = { tenant: 'quoting', collection: 'library' };
    const reader = { tenant: place.tenant, subject: 'reader', seesAll: false };
    const answer = (text: string, documentIds: string[], ageMs = 0, collection = place.collection) => [
      { role: 'user' as const, text: `About ${text}?` },
      { role: 'assistant' as const, text, documentIds, collection, readAt: performance.now() - ageMs },
    ];
    const texts = async (): Promise<string[]> =>
      (await context().repository.turns(place.tenant, 'c', 0, 100))
        .filter(({ role }) => role === 'assistant')
        .map(({ text }) => text);
    const become = (wanted: string[]) =>
      eventually(
        `the answers are ${wanted.join()}`,
        async () => JSON.stringify(await texts()) === JSON.stringify(wanted),
      );

    it('lose what they say of a document that is deleted or restricted, and no others do', async () => {
      for (const [text, ids] of [
        ['of the fox', ['fox']],
        ['of fox and owl', ['fox', 'owl']],
        ['of the owl', ['owl']],
        ['of nothing', []],
      ] as const)
        await context().repository.append(reader, 'c', answer(text, [...ids]));
      await tell(context().bus, catalogue.documentDeleted, { documentId: 'fox', collection: 'library', version: 1n });
      await become(['', '', 'of the owl', 'of nothing']);
      const recent = await context().repository.recentTurns(reader, 'c', 10);
      expect(recent.map(({ text }) => text)).toEqual([
        ...['About of the owl?', 'of the owl'],
        ...['About of nothing?', 'of nothing'],
      ]);
      const read = await inContext({ requestId: 'r', tenant: place.tenant, subject: 'reader' }, () =>
        context().conversations.getConversation({ id: 'c', limit: 2 }),
      );
      expect(read.messages[1]).toMatchObject({ text: '', documentIds: [], withdrawn: true });

      await tell(context().bus, catalogue.accessChanged, {
        collection: 'library',
        documentId: 'owl',
        access: { restricted: false },
      });
      await tell(context().bus, catalogue.accessChanged, {
        collection: 'library',
        documentId: 'owl',
        access: { restricted: true },
      });
      await become(['', '', '', 'of nothing']);
      await context().repository.append(reader, 'c', answer('of the heron', ['heron']));
      await tell(context().bus, catalogue.accessChanged, {
        collection: 'library',
        access: { restricted: true, principals: ['a'] },
      });
      await become(['', '', '', 'of nothing', '']);
    });

    it('that were being written meanwhile are kept without their text', async () => {
      const { repository } = context();
      const lastKept = async (ageMs: number): Promise<string> => {
        await repository.append(reader, 'late', answer('of the owl', ['owl'], ageMs));
        return (await repository.turns(place.tenant, 'late', 0, 100)).at(-1)!.text;
      };
      expect(await lastKept(60_000)).toBe('');
      // On a slow machine what was read just after may be taken for what was read just before.
      await eventually('what was read since is kept', async () => (await lastKept(0)) === 'of the owl');
    });

    it('that are kept at the very moment their document goes are kept without their text', async () => {
      const { database, repository, bus } = context();
      await repository.append(reader, 'first', answer('of the swan', ['swan'], 0, 'pond'));
      const waits = async (what: string): Promise<boolean> => {
        const sql = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE $1`;
        return (await database.query(sql, [`%${what}%`])).rowCount > 0;
      };
      let keeping: Promise<unknown> | undefined;
      await database.transaction(async (tx) => {
        await tx.query(`SELECT FROM conversation_turn WHERE conversation_id = 'first' FOR UPDATE`);
        const second = answer('of the swan', ['swan'], 0, 'pond');
        await tell(bus, catalogue.documentDeleted, { documentId: 'swan', collection: 'pond', version: 1n });
        await eventually('answers are being taken back', () => waits('UPDATE conversation_turn'));
        let isKept = false;
        keeping = repository.append(reader, 'second', second).then(() => (isKept = true));
        await eventually('it is kept, or waits', async () => isKept || (await waits('pg_advisory_xact_lock_shared')));
        const later = performance.now() + 500;
        await eventually('it has waited for long', () => performance.now() > later);
      });
      await keeping;
      await eventually('the first is taken back', async () => {
        const [, first] = await repository.turns(place.tenant, 'first', 0, 2);
        return first!.withdrawn;
      });
      const [, second] = await repository.turns(place.tenant, 'second', 0, 2);
      expect(second).toMatchObject({ text: '', documentIds: [], withdrawn: true });
    });
  });
}
