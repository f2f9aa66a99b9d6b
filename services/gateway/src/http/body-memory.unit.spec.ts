import { describe, expect, it } from '@jest/globals';
import { BodyMemory } from './body-memory.js';

const MIB = 1024 * 1024;
const shed = expect.objectContaining({ code: 'OVERLOAD.SHED', details: expect.objectContaining({ retry_after: 1 }) });

describe('BodyMemory', () => {
  const taken = (memory: BodyMemory, tenant: string, bytes: number): unknown => {
    try {
      return memory.take(tenant, bytes);
    } catch (error) {
      return error;
    }
  };

  it('leaves room for others when one tenant sends as much as it can', () => {
    const memory = new BodyMemory(64 * MIB);
    memory.take('loud', 16 * MIB);
    const second = memory.take('loud', 16 * MIB);
    expect(taken(memory, 'loud', 16 * MIB)).toEqual(shed);
    memory.take('calm', 16 * MIB);
    second();
    memory.take('loud', 16 * MIB);
  });

  it('never holds more than it may, however many tenants there are', () => {
    const memory = new BodyMemory(64 * MIB);
    for (let at = 0; at < 4; at += 1) memory.take(`tenant ${at}`, 16 * MIB);
    expect(taken(memory, 'another', 16 * MIB)).toEqual(shed);
    expect(taken(memory, 'another', 1024)).toEqual(expect.any(Function));
  });

  it('lets in one body that is larger than its share while nothing else is held', () => {
    const memory = new BodyMemory(16 * MIB);
    const back = memory.take('acme', 20 * MIB);
    expect(taken(memory, 'acme', MIB)).toEqual(shed);
    back();
    memory.take('acme', MIB);
  });
});
