import { EventEmitter, once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { pacedStream } from './paced-stream.js';

/** A writing side that is full after so many items. */
class Outlet extends EventEmitter {
  writableNeedDrain = false;

  drain(): void {
    this.writableNeedDrain = false;
    this.emit('drain');
  }
}

function numbers() {
  const source = { taken: 0, ended: false, items };
  async function* items() {
    try {
      for (;;) yield ++source.taken;
    } finally {
      source.ended = true;
    }
  }
  return source;
}
const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

describe('pacedStream', () => {
  it('takes nothing from its source while the reader is behind, and goes on when it has caught up', async () => {
    const outlet = new Outlet();
    const source = numbers();
    const subscription = pacedStream(source.items(), outlet).subscribe((item) => {
      outlet.writableNeedDrain = item % 3 === 0;
    });
    await once(outlet, 'newListener');
    expect(source.taken).toBe(3);
    await settled();
    expect(source.taken).toBe(3);
    outlet.drain();
    await settled();
    expect(source.taken).toBe(6);
    subscription.unsubscribe();
    await settled();
    expect(source.ended).toBe(true);
    expect(outlet.listenerCount('drain')).toBe(0);
  });

  it('passes on how its source ends', async () => {
    const failing = async function* () {
      yield 1;
      throw new Error('cut');
    };
    const seen: unknown[] = [];
    await new Promise<void>((resolve) => {
      const error = (reason: Error): void => resolve(void seen.push(reason.message));
      pacedStream(failing(), new Outlet()).subscribe({ next: (item) => seen.push(item), error });
    });
    expect(seen).toEqual([1, 'cut']);
  });
});
