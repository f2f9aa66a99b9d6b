import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createPool } from '@ragmesh/postgres';
import { eventually } from '@ragmesh/testing';
import type pg from 'pg';
import { freshGroup, freshTopic } from '../../testing/src/bus-conformance/bus-fixture.js';
import { join, joinCommitting, numbered } from '../../testing/src/bus-conformance/recording-sink.js';
import { EmbeddedBusDriver } from '../src/embedded/embedded-bus-driver.js';
import { DeafLine } from './deaf-line.js';
import { SpecServer } from './embedded-server.js';

const CANNOT_CONNECT_NOW = '55000';
/** A bus that does its rounds as it should needs fewer by far in the time of a test, one that does them without a pause many more. */
const MANY_TRANSACTIONS = 20;
/** And as many for each second that a slow machine makes it longer: without a pause there are hundreds. */
const MANY_EACH_SECOND = 5;
const manyIn = (ms: number): number => MANY_TRANSACTIONS + (ms / 1_000) * MANY_EACH_SECOND;

describe('the embedded bus without its session for signals', () => {
  let server: SpecServer;
  let rows: pg.Pool;
  let maintenance: pg.Pool;
  let drivers: EmbeddedBusDriver[] = [];
  let line: DeafLine;

  beforeAll(async () => {
    server = await SpecServer.start();
    drivers.push(await EmbeddedBusDriver.connect({ databaseUrl: server.busUrl }));
    rows = createPool(server.busUrl, { max: 1 });
    maintenance = createPool(server.postgres.url('postgres'), { max: 1 });
    const { port, searchParams } = new URL(server.busUrl);
    line = await DeafLine.start(Number(searchParams.get('port') ?? port));
    // Just after a start of the server members live without a session.
    const isSettled = `select pg_postmaster_start_time() < clock_timestamp() - interval '4 seconds' as settled`;
    await eventually('the server is settled', async () => (await one<{ settled: boolean }>(isSettled)).settled);
  });
  afterEach(async () => {
    line.cut();
    await connections(true);
    await Promise.all(drivers.map((driver) => driver.close()));
    drivers = [];
  });
  afterAll(async () => {
    await line.close();
    await Promise.all([rows.end(), maintenance.end()]);
    await server.stop();
  });

  const connect = async (options: Partial<Parameters<typeof EmbeddedBusDriver.connect>[0]> = {}) => {
    const driver = await EmbeddedBusDriver.connect({ databaseUrl: server.busUrl, ...options });
    drivers.push(driver);
    return driver;
  };
  const one = async <T>(text: string, values: unknown[] = []): Promise<T> =>
    (await rows.query(text, values)).rows[0] as T;
  /** Also those of superusers, which no limit of a role or database counts. */
  const connections = (allowed: boolean) =>
    maintenance.query(`alter database ragmesh_bus allow_connections ${allowed}`);
  const transactions = async () =>
    Number((await one<{ id: string }>('select pg_snapshot_xmax(pg_current_snapshot())::text as id')).id);
  const holding = (group: string) =>
    one<{ owner: string; generation: string }>('select owner, generation from bus.claim where group_name = $1', [
      group,
    ]);
  const memberOf = (group: string) =>
    one<{ pid: number; lease: string } | undefined>(
      'select session_pid as pid, lease_until::text as lease from bus.group_member where group_name = $1',
      [group],
    );
  const endSession = async (group: string): Promise<number> => {
    const { pid } = (await memberOf(group))!;
    await maintenance.query('select pg_terminate_backend($1, 5000)', [pid]);
    return pid;
  };

  it('keeps what it holds and reads on while it cannot have another one', async () => {
    const codes: unknown[] = [];
    const cut = await connect({ onError: (error) => codes.push((error as { code?: unknown }).code) });
    const other = await connect();
    const [topic, group] = [await freshTopic(cut), freshGroup()];
    const { sink } = await join(cut, topic, group);
    const { subscription } = await join(other, await freshTopic(other), freshGroup());
    const before = await holding(group);
    const [began, since] = [await transactions(), performance.now()];
    await connections(false);
    const session = await endSession(group);
    await eventually('no other is given', () => codes.includes(CANNOT_CONNECT_NOW));
    await subscription.close(); // after which every bus of this process looks at its groups
    await eventually('records are taken', () => other.publish(numbered(topic, 3)).catch(() => undefined));
    await eventually('it reads on', () => sink.records.length === 3);
    await connections(true);
    await eventually('its lease goes on with another session', async () => {
      const member = await memberOf(group);
      return member !== undefined && member.pid !== session;
    });
    expect(await holding(group)).toEqual(before);
    expect(sink.lost).toEqual([]);
    expect((await transactions()) - began).toBeLessThan(manyIn(performance.now() - since));
  });

  it('is thrown out without hammering the database while it does not know, and comes back once it does', async () => {
    const url = new URL(server.busUrl);
    const deaf = await connect({
      databaseUrl: `postgresql://${url.username}:${url.password}@127.0.0.1:${line.port}${url.pathname}`,
      leaseMs: 3_000,
    });
    const healthy = await connect({ leaseMs: 3_000 });
    const [topic, group, otherGroup] = [await freshTopic(deaf), freshGroup(), freshGroup()];
    const { sink } = await joinCommitting(deaf, topic, group);
    await join(healthy, await freshTopic(healthy), otherGroup);
    line.deafen();
    await endSession(group);
    await eventually('it is thrown out', async () => (await memberOf(group)) === undefined);
    const [began, since] = [await transactions(), performance.now()];
    for (let round = 0; round < 2; round++) {
      const { lease } = (await memberOf(otherGroup))!;
      await eventually('a round has passed', async () => (await memberOf(otherGroup))!.lease !== lease);
    }
    expect((await transactions()) - began).toBeLessThan(manyIn(performance.now() - since));
    await healthy.publish(numbered(topic, 3));
    line.cut();
    await eventually('it reads again', () => sink.distinct() === 3);
  });
});
