import { describe, expect, it } from '@jest/globals';
import { BodyMemory, type BodyRoom } from './body-memory.js';

const MIB = 1024 * 1024;
const shed = expect.objectContaining({ code: 'OVERLOAD.SHED', details: expect.objectContaining({ retry_after: 1 }) });
const refusal = (room: BodyRoom, bytes: number): unknown => {
  try {
    return room.growTo(bytes);
  } catch (error) {
    return error;
  }
};

describe('BodyMemory', () => {
  const taken = (memory: BodyMemory, tenant: string, bytes: number): BodyRoom => {
    const room = memory.roomFor(tenant);
    room.growTo(bytes);
    return room;
  };

  it('leaves room for others when one tenant sends as much as it can', () => {
    const memory = new BodyMemory(64 * MIB);
    taken(memory, 'loud', 16 * MIB);
    const second = taken(memory, 'loud', 16 * MIB);
    const third = memory.roomFor('loud');
    expect(refusal(third, 16 * MIB)).toEqual(shed);
    taken(memory, 'calm', 16 * MIB);
    second.release();
    second.release();
    third.growTo(16 * MIB);
  });

  it('never holds more than it may, however many tenants there are', () => {
    const memory = new BodyMemory(64 * MIB);
    for (let at = 0; at < 4; at += 1) taken(memory, `tenant ${at}`, 16 * MIB);
    expect(refusal(memory.roomFor('another'), 16 * MIB)).toEqual(shed);
    taken(memory, 'another', 1024);
  });

  it('lets in one body that is larger than its share while nothing else is held, however it grows', () => {
    const memory = new BodyMemory(16 * MIB);
    const large = taken(memory, 'acme', 10 * MIB);
    large.growTo(20 * MIB);
    const other = memory.roomFor('acme');
    expect(refusal(other, MIB)).toEqual(shed);
    large.release();
    other.growTo(MIB);
  });
});
