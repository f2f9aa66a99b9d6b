import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { BusDriver } from '@ragmesh/messaging';
import { createLogger } from '@ragmesh/observability';
import { Database, EmbeddedPostgres, Notifications, createPool, migrate } from '@ragmesh/postgres';
import { eventually } from '@ragmesh/testing';
import { PartlyDeadBus, TOPIC, keysOf } from '../test/partly-dead-bus.js';
import { Outbox, OutboxRelay, outboxMigrations } from './index.js';

let folder: string;
let server: EmbeddedPostgres;
let url: string;
const closing: (() => Promise<void>)[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ragmesh-late-bus-'));
  server = await EmbeddedPostgres.start(folder);
  url = server.url('ragmesh_late_bus');
  await migrate(url, outboxMigrations);
});
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

/** A copy of a service. */
class Copy {
  readonly #database = new Database(createPool(url, { max: 3 }));
  readonly #outbox = new Outbox(this.#database, 'document');
  readonly #notifications = new Notifications(url);
  readonly #relay: OutboxRelay;
  #stopping: Promise<void> | undefined;

  private constructor(bus: PartlyDeadBus & { connected?: Promise<void> }) {
    this.#relay = new OutboxRelay({
      ...{ service: 'document', database: this.#database, outbox: this.#outbox, notifications: this.#notifications },
      ...{ driver: bus as unknown as BusDriver, logger: createLogger('document', 'silent') },
      keepRefused: async () => undefined,
    });
  }

  static async start(bus: PartlyDeadBus): Promise<Copy> {
    const copy = new Copy(bus);
    closing.push(() => copy.stop());
    await copy.#relay.start();
    return copy;
  }

  async commit(keys: readonly string[]): Promise<void> {
    const value = Buffer.from('x');
    await this.#outbox.transaction(async (_tx, out) => {
      for (const key of keys) out.add({ topic: TOPIC, key, headers: {}, value });
    });
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    await this.#relay.stop();
    await this.#notifications.close();
    await this.#database.close();
  }
}

/** Whether relays were told since. */
async function listener(): Promise<() => boolean> {
  const notifications = new Notifications(url);
  closing.push(() => notifications.close());
  let isTold = false;
  await notifications.on('ragmesh_outbox', () => (isTold = true));
  return () => isTold;
}

describe('a relay whose bus is not there yet', () => {
  it('leaves the right to publish to a copy whose bus is there, and publishes in order once its own is', async () => {
    const { promise: connected, resolve: connect } = Promise.withResolvers<void>();
    const [late, prompt] = [Object.assign(new PartlyDeadBus(), { connected }), new PartlyDeadBus()];
    const waiting = await Copy.start(late);
    const [first, ...rest] = keysOf(1, 3);
    const told = await listener();
    await waiting.commit([first!]);
    await eventually('copies are told that there is something to publish', told);
    const other = await Copy.start(prompt);
    await eventually('one of them publishes', () => prompt.keys.includes(first!));
    await other.stop();
    await waiting.commit(rest);
    connect();
    await eventually('it takes over', () => late.published.length >= rest.length);
    expect(late.keys).toEqual(rest);
  });

  it('ends without it', async () => {
    const never = Object.assign(new PartlyDeadBus(), { connected: new Promise<void>(() => undefined) });
    const waiting = await Copy.start(never);
    await waiting.commit(keysOf(1, 1));
    await waiting.stop();
    expect(never.calls).toBe(0);
  });
});
