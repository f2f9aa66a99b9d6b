import { describe, expect, it } from '@jest/globals';
import { eventually } from '@ragmesh/testing';
import { type Orchestrator, counting, type Count } from '../test/orchestrator.js';
import { twoOrchestrators } from '../test/two-orchestrators.js';
import { SagaEngine } from './saga-engine.js';
import type { SagaSummary } from './saga-store.js';

const error = { code: 'STORAGE.UNAVAILABLE', message: 'away' };
let one: Orchestrator;
let two: Orchestrator;
twoOrchestrators((first, second) => void ([one, two] = [first, second]));

const expire = (id: string) =>
  one.database.query(`UPDATE saga SET deadline = now() - interval '1 second' WHERE id = $1`, [id]);

describe('two orchestrators over one database', () => {
  it('start a saga once', async () => {
    const started = await Promise.all([one, two, one, two].map((each) => each.start('a')));
    expect(started.filter(Boolean)).toHaveLength(1);
  });

  it('lose no input of many that come at once', async () => {
    await one.start('b');
    await Promise.all(
      Array.from({ length: 40 }, (_, turn) =>
        (turn % 2 ? one : two).work((tx, publish) =>
          (turn % 2 ? one : two).engine.deliver(tx, publish, 'b', ({ data }) => ({
            kind: 'progress',
            step: 'count',
            data: { counted: data.counted + 1 },
          })),
        ),
      ),
    );
    const { ref } = await one.sagaOf('b');
    expect((await one.store.get('default', ref)).data).toMatchObject({ counted: 40 });
  });

  it('lose none either when each locks, and some change, the row the saga is about', async () => {
    await one.database.query(`CREATE TABLE subject (id text PRIMARY KEY, changes integer NOT NULL)`);
    await one.database.query(`INSERT INTO subject VALUES ('s', 0)`);
    const subject = { join: `JOIN subject d ON d.id = s.data ->> 'id'`, lock: 'FOR NO KEY UPDATE OF d' };
    const engine = new SagaEngine<Count>(counting, () => Promise.resolve(), subject);
    await one.start('s');
    await Promise.all(
      Array.from({ length: 40 }, (_, turn) =>
        (turn % 2 ? one : two).work(async (tx, publish) => {
          if (turn % 4 === 0) tx.write(`UPDATE subject SET changes = changes + 1 WHERE id = 's'`);
          await engine.deliver(tx, publish, 's', ({ data }) => ({
            kind: 'progress',
            step: 'count',
            data: { counted: data.counted + 1 },
          }));
          if (turn % 4 === 1) tx.write(`UPDATE subject SET changes = changes + 1 WHERE id = 's'`);
        }),
      ),
    );
    const { ref, id } = await one.sagaOf('s');
    expect((await one.store.get('default', ref)).data).toMatchObject({ counted: 40 });
    await expire(id);
    const timeOut = (each: Orchestrator) => each.work((tx, publish) => engine.timeOut(tx, publish, id));
    expect((await Promise.all([one, two, one, two].map(timeOut))).filter(Boolean)).toHaveLength(1);
  });

  it('take a step once when both are told that it is done', async () => {
    await one.start('c');
    const moved = await Promise.all(
      [one, two, one, two].map((each) => each.deliver('c', { kind: 'step-done', step: 'count' })),
    );
    expect(moved.filter(Boolean)).toHaveLength(1);
    expect(await one.sent('c')).toBe(1);
  });

  it('fire a deadline once', async () => {
    await one.start('d');
    await expire('d');
    await Promise.all([one, two, one, two].map(({ timer }) => timer.fire()));
    expect(await one.sent('d')).toBe(1);
    expect(await one.store.timeline(await one.sagaOf('d'))).toMatchObject([
      { step: 'count', status: 'started' },
      { step: 'count', status: 'failed', detail: 'DOCUMENT.DEADLINE_EXCEEDED' },
    ]);
  });

  it('fire the deadline of one that died', async () => {
    await one.start('e');
    await expire('e');
    two.timer.start();
    await eventually('the timeout', async () => (await one.sagaOf('e')).state === 'compensating');
  });
});

describe('sagas that cannot be fired', () => {
  it('take nobody else the turn, however many are due before', async () => {
    await one.start('m');
    await one.work((tx, publish) => one.others.start(tx, publish, 'n', { id: 'n', counted: 0 }));
    await one.database.query(
      `INSERT INTO saga (name, id, tenant, request_id, trace, status, step, data, deadline)
       SELECT 'counting', 'old' || at, 'default', 'r', '{}', 'running', 'a step of another release', '{}', 'epoch'
       FROM generate_series(1, 100) AS at`,
    );
    await Promise.all([expire('m'), expire('n')]);
    await one.timer.fire();
    expect(await one.sagaOf('n')).toMatchObject({ state: 'running', attempts: 2 });
    await one.timer.fire();
    expect(await one.sagaOf('m')).toMatchObject({ state: 'compensating' });
  });
});

describe('a compensation that fails', () => {
  it('is kept, shown with its reason, and resumed', async () => {
    await one.start('f');
    await one.deliver('f', { kind: 'step-failed', error });
    await two.deliver('f', { kind: 'undo-failed', error: { code: 'VECTOR.UNAVAILABLE', message: 'gone' } });
    const [stuck] = await one.store.list('default', { state: 'compensation_failed' }, 10);
    expect(stuck).toMatchObject({ id: 'f', step: 'count', error, undo_error: { code: 'VECTOR.UNAVAILABLE' } });
    expect(await one.store.list('default', { state: 'compensating' }, 10)).toHaveLength(1);
    await two.operator.resume('default', stuck!.ref);
    expect(await one.sent('f')).toBe(2);
    await one.deliver('f', { kind: 'undone', step: 'count' });
    expect(await one.sagaOf('f')).toMatchObject({ state: 'failed', error, undo_error: null, deadline: null });
  });

  it('that gets no answer counts as failed after a while', async () => {
    await one.start('g');
    await one.deliver('g', { kind: 'step-failed', error });
    await one.deliver('g', { kind: 'timeout' });
    expect((await one.sagaOf('g')).state).toBe('compensating');
    await one.deliver('g', { kind: 'timeout' });
    expect((await one.sagaOf('g')).state).toBe('compensation_failed');
  });
});

describe('an operator', () => {
  it('sees what is overdue', async () => {
    await one.start('h');
    await one.start('i');
    await expire('i');
    await one.start('slow');
    await one.deliver('slow', { kind: 'step-done', step: 'count' });
    await one.deliver('slow', { kind: 'timeout' });
    expect((await one.store.list('default', { overdue: true }, 10)).map(({ id }) => id).toSorted()).toEqual([
      'i',
      'slow',
    ]);
  });

  it('calls a saga off, and is refused when it has ended or has no way back', async () => {
    await one.start('j');
    const { ref } = await one.sagaOf('j');
    await one.operator.abort('default', ref, 'not wanted');
    expect(await one.sagaOf('j')).toMatchObject({ state: 'compensating', error: { code: 'DOCUMENT.CANCELLED' } });
    await one.deliver('j', { kind: 'undone', step: 'count' });
    expect((await one.sagaOf('j')).state).toBe('aborted');
    await expect(one.operator.abort('default', ref, 'again')).rejects.toMatchObject({ code: 'SAGA.ENDED' });
    await expect(one.operator.resume('default', ref)).rejects.toMatchObject({ code: 'SAGA.ENDED' });
    await one.work((tx, publish) => one.others.start(tx, publish, 'k', { id: 'k', counted: 0 }));
    await expect(one.operator.abort('default', (await one.sagaOf('k')).ref, 'no')).rejects.toMatchObject({
      code: 'SAGA.NOT_ABORTABLE',
    });
  });

  it('finds no saga of another tenant', async () => {
    await one.start('l');
    const { ref } = await one.sagaOf('l');
    await expect(one.operator.resume('other', ref)).rejects.toMatchObject({ code: 'SAGA.NOT_FOUND' });
    await expect(one.operator.resume('default', 'l')).rejects.toMatchObject({ code: 'SAGA.NOT_FOUND' });
    expect(await one.store.list('other', {}, 10)).toEqual([]);
  });

  it('sees the open sagas of all tenants page by page, and of those that ended none', async () => {
    for (const id of ['o', 'p', 'q', 's']) await one.start(id);
    await one.database.query(`UPDATE saga SET tenant = 'of-' || id, created_at = now() WHERE id <> 's'`);
    await one.deliver('p', { kind: 'step-failed', error });
    await one.deliver('p', { kind: 'undone', step: 'count' });
    const pages: SagaSummary[] = [];
    let page = await one.store.list(null, {}, 2);
    for (; page.length > 0; page = await one.store.list(null, {}, 2, page.at(-1)!.cursor)) pages.push(...page);
    expect(pages.map(({ id, tenant }) => [id, tenant]).toSorted()).toEqual([
      ['o', 'of-o'],
      ['q', 'of-q'],
      ['s', 'default'],
    ]);
  });

  it('refuses a cursor it did not give', async () => {
    for (const cursor of ['x', `${'1'.repeat(16)}.${'-'.repeat(36)}`])
      await expect(one.store.list(null, {}, 2, cursor)).rejects.toMatchObject({ details: { field: 'cursor' } });
  });
});
