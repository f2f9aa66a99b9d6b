import { RedisLevel, redisAddress, redisVariables } from '@ragmesh/cache';
import { setTimeout as delay } from 'node:timers/promises';
import { fault, type Finding } from '../finding.js';
import { read, type Situation } from '../situation.js';

const ANSWER_WITHIN_MS = 4_000;

/** Whether Redis answers, where one is configured. */
export async function checkRedis(situation: Situation): Promise<Finding[]> {
  const config = read(situation, redisVariables);
  const address = config && redisAddress(config);
  if (address === undefined) return [];
  let reason = 'no answer';
  const logger = { warn: ({ code }: { code?: string }) => (reason = code ?? reason) } as never;
  const level = await RedisLevel.open({ ...address, service: 'doctor', namespace: 'doctor', logger });
  const end = performance.now() + ANSWER_WITHIN_MS;
  let isFine = false;
  // One answer may take longer than a cache has patience: a busy Redis is in order.
  while (!isFine && performance.now() < end) {
    isFine = (await level.read(['doctor'])) !== undefined;
    if (!isFine) await delay(50);
  }
  await level.close();
  const { host } = new URL(address.url);
  return isFine ? [] : [unusable(host, reason)];
}

const unusable = (host: string, reason: string): Finding =>
  fault(
    `Redis at ${host} cannot be used (${reason}).`,
    'Caches and rate limits fall back to each process by itself: answers are slower, and limits count per copy.',
    'redis-cli -u "$REDIS_URL" ping; check the password in REDIS_URL, and with rediss:// REDIS_TLS_CA_FILE',
  );
