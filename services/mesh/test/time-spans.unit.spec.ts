import { expect, it } from '@jest/globals';
import { processConfig } from '@ragmesh/bootstrap';
import { serviceNames } from '@ragmesh/contracts';
import { configOf } from '../../../helm/tooling/service-traits.js';

/** How long something is kept is compared, in SQL or in a cache; no timer waits for it. */
const KEPT = /_TTL(_SECONDS)?$|^CONVERSATION_RETENTION$|^REINDEX_KEEP_PREVIOUS$/;
/** Milliseconds; Node's timers go off at once after a longer time. */
const LONGEST_TIMER = 2 ** 31 - 1;

it('no setting takes a time that a timer cannot wait for', async () => {
  const definitions = [processConfig, ...(await Promise.all(serviceNames.map(configOf)))];
  const spans = definitions
    .flatMap(({ variables }) => Object.entries(variables))
    .filter(([name, { spec }]) => spec.kind.startsWith('seconds') && !KEPT.test(name));
  expect(spans.map(([name]) => name)).toContain('REQUEST_TIMEOUT_SECONDS');
  const endless = spans.filter(([, { spec }]) => spec.schema.safeParse(`${LONGEST_TIMER + 1}ms`).success);
  expect(endless.map(([name]) => name)).toEqual([]); // a wait is a timeout() of its configuration, what is kept stands above
});
