import { expect, it } from '@jest/globals';
import Broker from 'kafkajs/src/broker/index.js';
import { isOutage, kafkaError } from './kafka-error.js';

it('what kafkajs says of a broker that never answered is an outage, which ends when it answers', async () => {
  const logger = { namespace: () => ({}) };
  const error: unknown = await new Broker({ connectionPool: {}, logger })
    .metadata([])
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Error);
  expect(isOutage(kafkaError(error, 'reading the topics'))).toBe(true);
  expect(isOutage(new Error('of another kind'))).toBe(false);
});
