import { expect, it } from '@jest/globals';
import { eventually } from '@ragmesh/testing';
import { SESSION_MS, type FaultyStandalone } from './faulty-standalone.js';
import { onBothBuses } from './on-both-buses.js';

/** Where the index takes a batch in; what undoes it works. */
const INSERT_POINTS = 'INTO point ';

const codesOf = async ({ api }: FaultyStandalone, subject: string): Promise<unknown[]> => {
  const { body } = await api.call('GET', `/v1/admin/dead-letters?subject=${subject}`);
  return (body['data'] as { code: string }[]).map(({ code }) => code);
};

const names = (values: readonly unknown[], id: string): boolean =>
  values.some((value) => value === id || (Array.isArray(value) && value.includes(id)));

const upload = (mesh: FaultyStandalone, id: string) =>
  mesh.api.upload({ id, text: `The words of ${id}. `.repeat(30), collection: 'troubled' });

/** The event loop turns no more for so long. */
function burn(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

onBothBuses('an event handler in trouble', (mesh) => {
  it('with a TypeError is tried again and given up, its document fails, and nobody else is held up', async () => {
    const guilty = 'type-error';
    let attempts = 0;
    mesh().faults.statement = (_service, text, values) => {
      if (!text.includes(INSERT_POINTS) || !names(values, guilty)) return;
      attempts += 1;
      throw new TypeError('Cannot read properties of undefined');
    };
    const ids = Array.from({ length: 8 }, (_, number) => `beside-type-error-${number}`);
    await Promise.all([guilty, ...ids].map((id) => upload(mesh(), id)));
    for (const id of ids) expect((await mesh().api.terminal(id)).status).toBe('ready');
    expect((await mesh().api.terminal(guilty, 120_000)).status).toBe('failed');
    mesh().faults.statement = undefined;
    expect(attempts).toBeGreaterThan(3);
    expect((await codesOf(mesh(), guilty)).length).toBeGreaterThan(0);
    expect(await mesh().oracle.violations()).toEqual([]);
  }, 240_000);

  it('that takes three times the session keeps its place and is done once', async () => {
    let held = 0;
    mesh().faults.statement = (service, text, values) => {
      if (service !== 'vector' || held > 0 || !names(values, 'slow') || text.includes('pg_notify')) return undefined;
      held += 1;
      return new Promise((resolve) => setTimeout(resolve, 3 * SESSION_MS));
    };
    await upload(mesh(), 'slow');
    await upload(mesh(), 'beside-slow');
    expect((await mesh().api.terminal('beside-slow')).status).toBe('ready');
    expect((await mesh().api.terminal('slow')).status).toBe('ready');
    mesh().faults.statement = undefined;
    expect(held).toBe(1);
    expect(await mesh().oracle.violations()).toEqual([]);
  });

  it('that blocks the event loop for longer than the session leaves nothing lost and nothing doubled', async () => {
    let burnt = 0;
    mesh().faults.statement = (service, _text, values) => {
      if (service !== 'vector' || burnt >= 2 || !names(values, 'burning')) return;
      burnt += 1;
      burn(2 * SESSION_MS);
    };
    const ids = ['burning', ...Array.from({ length: 5 }, (_, number) => `beside-burning-${number}`)];
    await Promise.all(ids.map((id) => upload(mesh(), id)));
    for (const id of ids) expect((await mesh().api.terminal(id, 120_000)).status).toBe('ready');
    mesh().faults.statement = undefined;
    expect(burnt).toBe(2);
    expect(await mesh().oracle.violations()).toEqual([]);
  });

  it('whose dead letter cannot be published keeps it until it can, and drops nothing', async () => {
    const published: string[] = [];
    let refused = 0;
    mesh().faults.statement = (_service, text, values) => {
      if (text.includes(INSERT_POINTS) && names(values, 'unlucky')) throw new TypeError('x is not a function');
    };
    mesh().faults.publish = (records, write) => {
      if (refused < 5 && records.some(({ topic }) => topic.endsWith('.dlt'))) {
        refused += 1;
        return Promise.reject(new Error('The broker is away'));
      }
      published.push(...records.filter(({ topic }) => topic.endsWith('.dlt')).map(({ key }) => key));
      return write(records);
    };
    await upload(mesh(), 'unlucky');
    await eventually('the dead letter is there at last', () => published.includes('unlucky'), 120_000);
    expect(refused).toBe(5);
    mesh().faults.publish = undefined;
    mesh().faults.statement = undefined;
    expect((await mesh().api.terminal('unlucky', 120_000)).status).toBe('failed');
    expect(await mesh().oracle.violations()).toEqual([]);
  }, 240_000);

  it('is past it when its dead letter is replayed by five at once, and has its effect once', async () => {
    mesh().faults.statement = (_service, text, values) => {
      if (text.includes(INSERT_POINTS) && names(values, 'replayed')) throw new TypeError('x is not iterable');
    };
    await upload(mesh(), 'replayed');
    expect((await mesh().api.terminal('replayed', 120_000)).status).toBe('failed');
    mesh().faults.statement = undefined;
    const { api } = mesh();
    const { body } = await api.call('GET', '/v1/admin/dead-letters?subject=replayed&topic=chunks.embedded');
    const ids = (body['data'] as { id: string }[]).map(({ id }) => id);
    expect(ids).toHaveLength(1);
    const replay = () => api.call('POST', '/v1/admin/dead-letters/replay', { ids });
    const answers = await Promise.all(Array.from({ length: 5 }, replay));
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
    const state = async () => (await api.call('GET', '/v1/documents/replayed')).body['status'];
    await eventually('the document is ready', async () => (await state()) === 'ready');
    expect(await replay()).toMatchObject({ status: 409, body: { code: 'DEAD_LETTER.SETTLED' } });
    expect(await mesh().oracle.violations()).toEqual([]);
  }, 240_000);
});
