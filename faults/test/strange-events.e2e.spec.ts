import { expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { findEventSpec } from '@ragmesh/contracts';
import { withSignature, type OutgoingRecord } from '@ragmesh/messaging';
import { eventually } from '@ragmesh/testing';
import type { FaultyStandalone } from './faulty-standalone.js';
import { onBothBuses } from './on-both-buses.js';

const headersOf = (type: string, subject: string, value: Uint8Array): Record<string, string> => {
  const envelope = {
    ce_id: uuidv7(),
    ce_type: type,
    ce_source: '/ragmesh/spec',
    ce_specversion: '1.0',
    ce_time: new Date().toISOString(),
    ce_subject: subject,
    ce_tenant: 'default',
  };
  return withSignature(envelope, value);
};

const codesOf = async ({ api }: FaultyStandalone, subject: string): Promise<string[]> => {
  const { body } = await api.call('GET', `/v1/admin/dead-letters?subject=${subject}`);
  return (body['data'] as { code: string }[]).map(({ code }) => code);
};

async function serves({ api }: FaultyStandalone, words: string): Promise<void> {
  const uploads = await Promise.all(
    Array.from({ length: 12 }, (_, number) => api.upload({ text: `${words}, healthy document ${number}.` })),
  );
  for (const { body } of uploads) expect((await api.terminal(String(body['id']))).status).toBe('ready');
}

/** Field 1000, a number, which no schema of this release has. */
const UNKNOWN_FIELD = Buffer.from([0xc0, 0x3e, 0x07]);

function withMemberAddedLater(value: Uint8Array): Buffer {
  const payload = JSON.parse(Buffer.from(value).toString()) as object;
  return Buffer.from(JSON.stringify({ ...payload, addedLater: { deep: [1, 'two'] } }));
}

/** The event as a later release of the same major version would send it. */
function fromLaterRelease(record: OutgoingRecord): OutgoingRecord {
  const spec = findEventSpec(record.headers['ce_type'] ?? '');
  if (!spec) return record;
  const value =
    spec.encoding === 'protobuf' ? Buffer.concat([record.value, UNKNOWN_FIELD]) : withMemberAddedLater(record.value);
  return { ...record, value, headers: withSignature(record.headers, value) };
}

onBothBuses('events', (mesh) => {
  it('that nobody can read end as dead letters wherever they stand, and block nobody', async () => {
    const { bus } = mesh().drivers;
    const topic = 'chunks.embedded';
    const bad = [Buffer.from('not protobuf'), Buffer.alloc(0), Buffer.alloc(2_000, 255)];
    for (const [position, value] of bad.entries()) {
      for (let partition = 0; partition < bus.partitionsOf(topic); partition += 1) {
        const subject = `poison-${position}`;
        await bus.publish([{ topic, partition, key: subject, headers: headersOf(topic, subject, value), value }]);
      }
      await serves(mesh(), `After poison ${position}`);
      await eventually('all are given up', async () => {
        return (await codesOf(mesh(), `poison-${position}`)).length === bus.partitionsOf(topic);
      });
    }
    expect(new Set(await codesOf(mesh(), 'poison-0'))).toEqual(new Set(['EVENT.UNDECODABLE']));
    expect(await mesh().oracle.violations()).toEqual([]);
  });

  it('of another release: what is added is passed over, what is missing is refused, a newer major is parked', async () => {
    mesh().faults.publish = (records, write) => write(records.map(fromLaterRelease));
    const { api } = mesh();
    const { body } = await api.upload({ id: 'later', text: 'Words of a later release.' });
    expect((await api.terminal(String(body['id']))).status).toBe('ready');
    await api.call('PUT', '/v1/documents/later', { text: 'Other words of a later release.' });
    expect(await api.terminal('later')).toMatchObject({ status: 'ready', version: 2 });
    await api.call('DELETE', '/v1/documents/later');
    await eventually('it is gone', async () => (await api.call('GET', '/v1/documents/later')).status === 404);
    mesh().faults.publish = undefined;

    const strange = [
      ['missing', 'chunks.embedded', 'chunks.embedded', Buffer.alloc(0)],
      ['missing-too', 'document.created', 'document.created', Buffer.from('{}')],
      ['newer', 'document.created', 'document.created.v2', Buffer.from('{"documentId": "newer", "version": "1"}')],
    ] as const;
    for (const [subject, topic, type, value] of strange)
      await mesh().drivers.bus.publish([
        { topic, partition: 0, key: subject, headers: headersOf(type, subject, value), value },
      ]);
    await eventually('all are given up', async () => {
      const codes = await Promise.all(strange.map(([subject]) => codesOf(mesh(), subject)));
      return codes.every(({ length }) => length > 0);
    });
    expect(await codesOf(mesh(), 'missing')).toEqual(['EVENT.INVALID']);
    expect(new Set(await codesOf(mesh(), 'missing-too'))).toEqual(new Set(['EVENT.INVALID']));
    expect(new Set(await codesOf(mesh(), 'newer'))).toEqual(new Set(['EVENT.VERSION_UNSUPPORTED']));
    await serves(mesh(), 'After another release');
    expect(await mesh().oracle.violations()).toEqual([]);
  });
});
