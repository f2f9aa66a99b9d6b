import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startFaultyStandalone, type FaultyStandalone } from './faulty-standalone.js';

const CLIENTS = 50;

describe('one process with two connections per service', () => {
  let standalone: FaultyStandalone;
  beforeAll(async () => void (standalone = await startFaultyStandalone({ connections: 2 })));
  afterAll(() => standalone?.close());

  it('ends nothing in a deadlock: each is accepted or told to come again, and every promise is kept', async () => {
    const { api, oracle } = standalone;
    const texts = Array.from({ length: CLIENTS }, (_, client) => `Words of client ${client}. `.repeat(50));
    const answers = await Promise.all(texts.map((text) => api.upload({ text })));
    const [accepted, refused] = [
      answers.filter(({ status }) => status === 202),
      answers.filter(({ status }) => status !== 202),
    ];
    expect(refused.filter(({ body }) => body['retryable'] !== true)).toEqual([]);
    expect(accepted.length).toBeGreaterThan(0);
    for (const { body } of accepted) expect((await api.terminal(String(body['id']))).status).toBe('ready');
    expect(await oracle.violations()).toEqual([]);
  }, 240_000);
});
