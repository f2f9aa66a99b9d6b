import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { withSignature } from '@ragmesh/messaging';
import { eventually } from '@ragmesh/testing';
import { v7 as uuidv7 } from 'uuid';
import { newDataDir, removeDataDir, startMesh, type Mesh } from './mesh-fixture.js';

let dataDir: string;
let mesh: Mesh;
beforeAll(async () => {
  dataDir = await newDataDir();
  mesh = await startMesh(dataDir);
});
afterAll(async () => {
  await mesh.close();
  await removeDataDir(dataDir);
});

const envelope = (type: string) => ({
  ce_id: uuidv7(),
  ce_type: type,
  ce_source: '/ragmesh/embedding',
  ce_specversion: '1.0',
  ce_time: new Date().toISOString(),
  ce_subject: 'poisoned',
  ce_tenant: 'default',
});

const poison = [
  {
    what: 'bytes that are no event',
    headers: envelope('chunks.embedded'),
    value: Buffer.from('not protobuf'),
    code: 'EVENT.UNDECODABLE',
  },
  {
    what: 'an event that no service signed',
    headers: { ...envelope('chunks.embedded'), 'ragmesh-signature': '' },
    value: Buffer.alloc(0),
    code: 'EVENT.UNSIGNED',
  },
  { what: 'an event without an envelope', headers: {}, value: Buffer.alloc(0), code: 'EVENT.INVALID' },
  {
    what: 'an event of a type from the future',
    headers: envelope('chunks.reimagined'),
    value: Buffer.alloc(0),
    code: 'EVENT.VERSION_UNSUPPORTED',
  },
];

interface Letter {
  readonly code: string;
  readonly topic: string;
  readonly service: string;
}

async function deadLetters(): Promise<Letter[]> {
  return (await mesh.api.call('GET', '/v1/admin/dead-letters')).body['data'] as Letter[];
}

describe('poison events', () => {
  it.each(poison)('of $what end as dead letters', async ({ headers, value, code }) => {
    const signed = 'ragmesh-signature' in headers ? headers : withSignature(headers, value);
    await mesh.bus.publish([{ topic: 'chunks.embedded', partition: 0, key: 'poisoned', headers: signed, value }]);
    const found = async () => (await deadLetters()).find((each) => each.code === code);
    const letter = await eventually(`a dead letter ${code}`, found);
    expect(letter).toMatchObject({ topic: 'chunks.embedded', service: 'vector' });
  });

  it('block nobody', async () => {
    const uploads = await Promise.all(
      Array.from({ length: 12 }, (_, number) => mesh.api.upload({ text: `Healthy document number ${number}.` })),
    );
    for (const { body } of uploads) expect((await mesh.api.terminal(body['id'] as string)).status).toBe('ready');
  });
});
