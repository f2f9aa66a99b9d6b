import { fault, note, unseen, type Finding } from '../finding.js';
import { askDatabase, meshDatabase } from '../mesh-database.js';
import type { Situation } from '../situation.js';

interface Breakers {
  readonly data: readonly { readonly service: string; readonly dependency: string; readonly state: string }[];
  readonly unavailable: readonly string[];
}

/** Whether the edge is ready, whether every service answers it, and whom they have given up calling. */
export async function checkServices(situation: Situation): Promise<Finding[]> {
  const { gateway, isEdgeExpected } = situation;
  const ready = await gateway.ask('/readyz');
  if (ready === undefined)
    return [isEdgeExpected || (await hasStarted(situation)) ? silent(gateway.url) : notRunning(gateway.url)];
  const findings = ready.status === 200 ? [] : [notReady(gateway.url)];
  const breakers = await gateway.json<Breakers>('/v1/admin/breakers');
  if (breakers === undefined) return [...findings, unseen];
  const open = breakers.data.filter(({ state }) => state === 'open');
  return [
    ...findings,
    ...breakers.unavailable.map(away),
    ...open.map(({ service, dependency }) => givenUp(service, dependency)),
  ];
}

/** Whether the database of the edge has tables: of a mesh whose services were never started it has none. */
async function hasStarted(situation: Situation): Promise<boolean> {
  const url = meshDatabase(situation)?.ofService('gateway');
  if (url === undefined) return false;
  const rows = await askDatabase(url, 'SELECT 1 FROM _prisma_migrations LIMIT 1').catch(() => []);
  return rows.length > 0;
}

const silent = (url: string): Finding =>
  fault(
    `No ragmesh answers at ${url}, and one should.`,
    'Nobody can upload or ask anything; sagas, dead letters and services were not looked at.',
    'read the log of gateway, and start it; deploy/runbooks/RagmeshServiceDown.md; or npm run doctor -- --url URL when it runs elsewhere',
  );

const notRunning = (url: string): Finding =>
  note(
    `No ragmesh answers at ${url}.`,
    'Sagas, dead letters and services were not looked at; that is as it should be before the first start.',
    'npm start, npm run mesh, or npm run doctor -- --url URL when it runs elsewhere',
  );

const notReady = (url: string): Finding =>
  fault(
    `The edge at ${url} runs and is not ready.`,
    'Balancers send it no requests. It is starting, stopping, or cannot reach its database.',
    'read its log; wait when it has just been started, else see the check database',
  );

const away = (service: string): Finding =>
  fault(
    `The service ${service} does not answer the edge.`,
    'What it does fails with DEPENDENCY.UNAVAILABLE, and its share of events waits.',
    `read the log of ${service}; deploy/runbooks/RagmeshServiceDown.md`,
  );

const givenUp = (service: string, dependency: string): Finding =>
  fault(
    `${service} has stopped calling ${dependency}: too many calls failed.`,
    'Such calls are refused at once, until one that is tried succeeds.',
    'mend what is called, it closes by itself; deploy/runbooks/RagmeshBreakerOpen.md',
  );
