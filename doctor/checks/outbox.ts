import { fault, unseen, type Finding } from '../finding.js';
import { askDatabase, meshDatabase } from '../mesh-database.js';
import { services } from '../services.js';
import type { Situation } from '../situation.js';

/** As the alert RagmeshOutboxDelayed. */
const LONGEST_SECONDS = 60;

const OLDEST = `SELECT extract(epoch FROM now() - min(greatest(created_at, available_at)))::float8 AS age, count(*)::int AS events
  FROM outbox WHERE published_at IS NULL AND error IS NULL AND available_at <= now()`;

/** Whether events leave: in a mesh the databases know, in standalone the process does. */
export async function checkOutbox(situation: Situation): Promise<Finding[]> {
  const database = meshDatabase(situation);
  if (database === undefined) return fromMetrics(situation);
  const ages = services.map(async ({ name }) => {
    const rows = await askDatabase<{ age: number | null }>(database.ofService(name), OLDEST).catch(unlessEmpty);
    return rows === undefined ? undefined : delayed(name, rows[0]?.age ?? 0);
  });
  const findings = await Promise.all(ages);
  const told = findings.flatMap((of) => of ?? []);
  return findings.includes(undefined) ? [...told, unseen] : told;
}

/** Of a service that was never started there is no database, or no table. What cannot be asked the check database tells. */
function unlessEmpty(error: NodeJS.ErrnoException): [] | undefined {
  return ['3D000', '42P01'].includes(error.code ?? '') ? [] : undefined;
}

async function fromMetrics({ gateway }: Situation): Promise<Finding[]> {
  const answer = await gateway.ask('/metrics');
  if (answer?.status !== 200) return [unseen];
  const samples = answer.text.matchAll(/^ragmesh_outbox_oldest_seconds\{[^}]*service="(\w+)"[^}]*\} (\S+)/gm);
  return [...samples].flatMap(([, service, age]) => delayed(service!, Number(age)));
}

const delayed = (service: string, age: number): Finding[] =>
  age <= LONGEST_SECONDS
    ? []
    : [
        fault(
          `The oldest event of ${service} has waited ${Math.round(age)} s to be published.`,
          'Documents stay where they are until it is: nothing downstream has heard of them.',
          `look at the bus first (the checks kafka and database); then deploy/runbooks/RagmeshOutboxDelayed.md`,
        ),
      ];
