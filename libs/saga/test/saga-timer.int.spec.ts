import { describe, expect, it } from '@jest/globals';
import { eventually } from '@ragmesh/testing';
import { type Orchestrator } from './orchestrator.js';
import { twoOrchestrators } from './two-orchestrators.js';

let one: Orchestrator;
let two: Orchestrator;
twoOrchestrators((first, second) => void ([one, two] = [first, second]));

describe('a deadline that passed while no process ran', () => {
  it('leaves what is waited for a little time to come, and asks again at once where asking is all it does', async () => {
    await one.start('waits');
    await one.start('shows');
    await one.deliver('shows', { kind: 'step-done', step: 'count' });
    await one.database.query(`UPDATE saga SET deadline = now() - interval '1 hour'`);
    const before = await one.sent('shows');
    one.timer.start();
    await eventually('the step that is asked for again', async () => (await one.sent('shows')) > before);
    expect(await one.sagaOf('waits')).toMatchObject({ state: 'running', overdue: false });
    await one.deliver('waits', { kind: 'step-done', step: 'count' });
    expect(await one.sagaOf('waits')).toMatchObject({ state: 'running', step: 'show' });
  });
});

describe('a deadline that passed while the machine slept or the database was away', () => {
  /** A look at the deadlines from beginning to end. */
  async function attend({ timer, clock }: Orchestrator): Promise<void> {
    const { asked } = clock;
    timer.start();
    await eventually('a look at the deadlines', async () => clock.asked > asked);
    await timer.stop();
  }
  const deadlineOf = async (id: string) => (await one.sagaOf(id)).deadline!.getTime();
  const passed = (id: string, seconds: number) =>
    one.database.query(`UPDATE saga SET deadline = now() - $2 * interval '1 second' WHERE id = $1`, [id, seconds]);

  it('leaves what is waited for a little time to come, once, whichever process wakes first', async () => {
    await one.start('sleeps');
    await attend(one);
    await attend(two);
    await passed('sleeps', 1_200);
    for (const { clock } of [one, two]) clock.now += 1_200_000;
    await attend(one);
    expect(await one.sagaOf('sleeps')).toMatchObject({ state: 'running', overdue: false });
    const given = await deadlineOf('sleeps');
    await attend(two);
    expect(await deadlineOf('sleeps')).toBe(given);
  });

  it('fires where somebody was awake: then the answer is late', async () => {
    await one.start('late');
    await attend(one);
    await passed('late', 2);
    one.clock.now += 1_200_000;
    await attend(one);
    expect(await one.sagaOf('late')).toMatchObject({ state: 'compensating' });
    await one.start('later');
    await passed('later', 1_200);
    await attend(one);
    expect(await one.sagaOf('later')).toMatchObject({ state: 'compensating' });
  });

  it('fires after a look that took long, too: somebody was awake until it ended', async () => {
    const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    await one.start('late');
    await two.database.transaction(async (tx) => {
      await tx.query('LOCK TABLE saga');
      one.timer.start();
      await eventually('a look that waits', async () => (await two.database.query(waiting)).rowCount > 0);
      one.clock.now += 1_200_000;
    });
    await one.timer.stop();
    await passed('late', 1_200);
    await attend(one);
    expect(await one.sagaOf('late')).toMatchObject({ state: 'compensating' });
  });
});
