import { beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@ragmesh/testing';
import { ServerReviver } from './server-reviver.js';

const said: string[] = [];
const lost: unknown[] = [];
const news = { say: (sentence: string) => said.push(sentence), onLost: (error: unknown) => lost.push(error) };
beforeEach(() => {
  said.length = lost.length = 0;
});

describe('a server that ends again and again', () => {
  it('is lost for good after the last pause, and that is told with the reason', async () => {
    const server = new ServerReviver('Redis', () => Promise.reject(new Error('no memory')), news, [1, 2]);
    server.ended('ended (SIGKILL)');
    await eventually('it is given up', () => lost.length > 0);
    expect(said).toEqual([
      'Redis ended (SIGKILL) and starts again in 1 ms',
      'Redis did not come back (no memory) and starts again in 2 ms',
    ]);
    expect(lost).toEqual([
      expect.objectContaining({
        code: 'DEPENDENCY.UNAVAILABLE',
        message: 'Redis did not come back (no memory), and was started again 2 times before.',
      }),
    ]);
  });

  it('is lost as well when every start succeeds and none lasts', async () => {
    const server = new ServerReviver(
      'Kafka',
      async () => void setImmediate(() => server.ended('ended (exit code 1)')),
      news,
      [1, 2],
    );
    server.ended('ended (exit code 1)');
    await eventually('it is given up', () => lost.length > 0);
    expect(said.filter((line) => line.startsWith('Kafka is back'))).toHaveLength(2);
  });

  it('is not started any more once it was stopped, and nobody waits for its pause', async () => {
    const starts: string[] = [];
    const server = new ServerReviver('Redis', async () => void starts.push('start'), news, [3_600_000]);
    server.ended('ended (SIGKILL)');
    await server.stop();
    server.ended('ended (SIGTERM)');
    expect(starts).toEqual([]);
    expect(said).toEqual(['Redis ended (SIGKILL) and starts again in 3600000 ms']);
    expect(lost).toEqual([]);
  });
});
