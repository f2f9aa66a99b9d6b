import { describe, expect, it } from '@jest/globals';
import type { Producer, ProducerRecord, RecordMetadata } from 'kafkajs';
import type { OutgoingRecord } from '../driver/bus-driver.js';
import { PartitionWriter } from './partition-writer.js';

const record = (value: string): OutgoingRecord => ({
  topic: 'events',
  partition: 3,
  key: 'key',
  headers: {},
  value: Buffer.from(value),
});
const records = (count: number) => Array.from({ length: count }, (_, index) => record(`${index}`));
const written = (baseOffset: number, partition = 3): RecordMetadata[] => [
  { topicName: 'x.events', partition, errorCode: 0, baseOffset: String(baseOffset) },
];

/** kafkajs as it answers when a broker dies: scripted, since a real one does not lose a leader on command. */
function writer(answer: (call: number, sent: ProducerRecord) => RecordMetadata[], limit = 1_000_000) {
  const sent: ProducerRecord[] = [];
  const producer = {
    send: async (request: ProducerRecord) => {
      sent.push(request);
      return answer(sent.length - 1, request);
    },
  } as unknown as Producer;
  return { writer: new PartitionWriter(producer, 'x.events', 3, limit), sent };
}

describe('PartitionWriter', () => {
  it('takes records for written only when the answer names their partition', async () => {
    const { writer: lossy } = writer(() => written(7, 4));
    expect(await lossy.append(records(2))).toEqual([
      { error: expect.objectContaining({ code: 'DEPENDENCY.UNAVAILABLE' }) },
      { error: expect.objectContaining({ code: 'DEPENDENCY.UNAVAILABLE' }) },
    ]);
    const { writer: empty } = writer(() => []);
    expect(await empty.append(records(1))).toEqual([{ error: expect.any(Error) }]);
  });

  it('sends one partition at a time, with key, partition and acknowledgement of all in sync', async () => {
    const { writer: sound, sent } = writer(() => written(7));
    expect(await sound.append(records(2))).toEqual([
      { partition: 3, offset: 7 },
      { partition: 3, offset: 8 },
    ]);
    expect(sent).toHaveLength(1);
    expect(sent[0]).toMatchObject({ topic: 'x.events', acks: -1 });
    for (const message of sent[0]!.messages) expect(message).toMatchObject({ key: 'key', partition: 3 });
  });

  it('shares a batch between the calls of one turn and keeps their order', async () => {
    const { writer: busy, sent } = writer((call) => written(call * 100));
    const [first, second] = await Promise.all([busy.append(records(2)), busy.append(records(1))]);
    expect(sent).toHaveLength(1);
    expect(first).toEqual([
      { partition: 3, offset: 0 },
      { partition: 3, offset: 1 },
    ]);
    expect(second).toEqual([{ partition: 3, offset: 2 }]);
  });

  it('lets no later record of a call overtake a failed one', async () => {
    const { writer: failing, sent } = writer((call) => {
      if (call === 0) throw Object.assign(new Error('gone'), { name: 'KafkaJSConnectionError' });
      return written(0);
    });
    const outcomes = await failing.append(records(1_200));
    expect(sent).toHaveLength(1);
    expect(outcomes).toHaveLength(1_200);
    expect(outcomes.every((outcome) => 'error' in outcome)).toBe(true);
    expect(await failing.append(records(1))).toEqual([{ partition: 3, offset: 0 }]);
  });

  it('keeps batches below the broker’s limit and refuses a larger record alone', async () => {
    let next = 0;
    const { writer: limited, sent } = writer((_, { messages }) => written((next += messages.length) - messages.length));
    const large = record('x'.repeat(400_000));
    const outcomes = await limited.append([large, large, large, record('y'.repeat(1_000_001)), record('z')]);
    expect(sent.map(({ messages }) => messages.length)).toEqual([2, 2]);
    expect(
      outcomes.map((outcome) => ('offset' in outcome ? outcome.offset : (outcome.error as { code?: string }).code)),
    ).toEqual([0, 1, 2, 'EVENT.TOO_LARGE', 3]);
  });
});
