import { afterAll, afterEach, beforeAll, beforeEach, describe, it } from '@jest/globals';
import { FaultProxy, eventually } from '@ragmesh/testing';
import { Database, EmbeddedPostgres, Notifications, createPool } from '../src/index.js';
import { portOf, through } from './proxied-server.js';
import { scratchFolder } from './scratch-folder.js';

describe('notifications', () => {
  const folder = scratchFolder();
  let server: EmbeddedPostgres;
  let line: FaultProxy;
  let database: Database;
  let notifications: Notifications;
  let heard: string[];

  beforeAll(async () => {
    server = await EmbeddedPostgres.start(folder.path);
    database = new Database(createPool(server.url('postgres'), { max: 1 }));
    line = await FaultProxy.start({ target: portOf(server.url('postgres')) });
  });
  afterAll(async () => {
    await database.close();
    await line.close();
    await server.stop();
    folder.remove();
  });
  beforeEach(() => {
    heard = [];
    notifications = new Notifications(through(line, server.url('postgres')));
  });
  afterEach(async () => {
    await line.clear();
    await notifications.close();
  });

  const hear = (channel: string) => notifications.on(channel, (payload) => heard.push(`${channel}:${payload}`));
  const tell = (channel: string, payload: string) => database.query('SELECT pg_notify($1, $2)', [channel, payload]);
  const has = (...what: string[]) =>
    eventually(
      () => `${what.join()} is heard, not only ${heard.join()}`,
      () => what.every((each) => heard.includes(each)),
    );

  it('are heard again after the connection was cut', async () => {
    await hear('outbox');
    await tell('outbox', 'first');
    await has('outbox:first');
    line.cut();
    await has('outbox:'); // the hint that something may have been missed
    await tell('outbox', 'second');
    await has('outbox:second');
  });

  it('are heard once the server is there, by all who asked while it was away', async () => {
    await line.set({ refuse: true });
    await Promise.all([hear('one'), hear('two')]);
    await hear('three');
    await line.clear();
    await has('one:', 'two:', 'three:');
    await Promise.all(['one', 'two', 'three'].map((channel) => tell(channel, 'there')));
    await has('one:there', 'two:there', 'three:there');
  });
});
