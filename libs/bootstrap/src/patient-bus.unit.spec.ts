import { describe, expect, it } from '@jest/globals';
import { RagmeshError } from '@ragmesh/errors';
import type { BusDriver, Subscription } from '@ragmesh/messaging';
import { eventually } from '@ragmesh/testing';
import { PatientBus } from './patient-bus.js';

const away = new RagmeshError('DEPENDENCY.UNAVAILABLE', 'Nobody answers.');
/** As a client of Kafka tells of a connection that breaks. */
const gone = new RagmeshError(
  'DEPENDENCY.UNAVAILABLE',
  'They are gone.',
  {},
  { cause: { name: 'KafkaJSConnectionError' } },
);
const never = new RagmeshError('DEPENDENCY.UNAVAILABLE', 'The session timeout is not within what they allow.');
const refused = new RagmeshError('CONFIG.INVALID', 'The login is wrong.');
const SHORTLY_MS = 10;
const LONG_MS = 60_000;
const subscribing = { group: 'g', topics: ['t'], sink: { deliver: () => undefined, revoked: async () => undefined } };

/** A server's side of a bus: what it answers to each subscription, in turn. */
function brokers(...answers: readonly (Error | Subscription)[]) {
  const left = [...answers];
  const state = { closed: 0 };
  const driver = {
    partitionsOf: () => 3,
    publish: async () => [{ partition: 0, offset: 7 }],
    subscribe: async () => {
      const answer = left.shift()!;
      if (answer instanceof Error) throw answer;
      return answer;
    },
    close: async () => void (state.closed += 1),
  } as unknown as BusDriver;
  return { driver, state };
}

function open(connect: () => Promise<BusDriver>, withinMs: number) {
  const ending = new AbortController();
  const told: unknown[] = [];
  const opening = PatientBus.open({ connect, onError: (error) => told.push(error), ending: ending.signal }, withinMs);
  return { opening, ending, told };
}

describe('a bus whose brokers may come later', () => {
  it('lets nobody publish and who subscribes wait, gives that up at once, and closes what is connected after that', async () => {
    const { promise: connecting, resolve: answer } = Promise.withResolvers<BusDriver>();
    const { opening, ending } = open(() => connecting, SHORTLY_MS);
    const bus = await opening;
    expect(() => bus.partitionsOf('t')).toThrow(expect.objectContaining({ code: 'DEPENDENCY.UNAVAILABLE' }));
    await expect(bus.publish([])).rejects.toMatchObject({ code: 'DEPENDENCY.UNAVAILABLE' });
    const subscription = bus.subscribe(subscribing);
    ending.abort();
    await expect(subscription).rejects.toMatchObject({ code: 'STORAGE.UNAVAILABLE' });
    const { driver, state } = brokers();
    answer(driver);
    await eventually('the late one is closed', () => state.closed === 1);
  });

  it('tries again for as long as nobody answers, also when they are gone again before somebody has subscribed', async () => {
    const member = {} as Subscription;
    const { driver } = brokers(gone, member);
    const connections = [away, away, driver];
    const { opening, told } = open(async () => {
      const next = connections.shift()!;
      if (next instanceof Error) throw next;
      return next;
    }, SHORTLY_MS);
    const bus = await opening;
    expect(await bus.subscribe(subscribing)).toBe(member);
    expect(told).toEqual([away, away, gone]);
    expect(bus.partitionsOf('t')).toBe(3);
    expect(await bus.publish([])).toHaveLength(1);
  });

  it('does not subscribe again where brokers answer and do not let it in', async () => {
    const { driver } = brokers(never);
    const { opening } = open(async () => driver, LONG_MS);
    await expect((await opening).subscribe(subscribing)).rejects.toBe(never);
  });

  it('is connected when it is opened, where brokers answer', async () => {
    const { driver, state } = brokers();
    const bus = await open(async () => driver, LONG_MS).opening;
    expect(bus.partitionsOf('t')).toBe(3);
    await bus.close();
    expect(state.closed).toBe(1);
  });

  it('does not try again what brokers refuse, at once or later', async () => {
    await expect(open(() => Promise.reject(refused), LONG_MS).opening).rejects.toBe(refused);
    const failures = [away, refused];
    const late = await open(() => Promise.reject(failures.shift()!), SHORTLY_MS).opening;
    await expect(late.subscribe(subscribing)).rejects.toBe(refused);
    await expect(late.connected).rejects.toBe(refused);
  });
});
