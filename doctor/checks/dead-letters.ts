import { fault, unseen, type Finding } from '../finding.js';
import { listOfAllTenants, named, tenantQuery, type OfTenant } from '../all-tenants.js';
import type { Situation } from '../situation.js';

interface Group extends OfTenant {
  readonly code: string;
  readonly handler: string;
  readonly count: number;
}

/** Whether events were given up that nobody has decided about. */
export async function checkDeadLetters({ gateway }: Situation): Promise<Finding[]> {
  const of = (status: string) =>
    listOfAllTenants<{ groups: readonly Group[] }>(gateway, `/v1/admin/dead-letters?limit=1&status=${status}`);
  const [parked, quarantined] = await Promise.all([of('parked'), of('quarantined')]);
  if (parked.list === undefined || quarantined.list === undefined) return [unseen];
  return [
    ...parked.findings,
    ...causes(parked.list.groups).map(([cause, groups]) => waiting(cause, groups)),
    ...causes(quarantined.list.groups).map(([cause, groups]) => refused(cause, groups)),
  ];
}

const causes = (groups: readonly Group[]): [string, Group[]][] => [
  ...Map.groupBy(groups, ({ handler, code }) => `${handler} gave them up with ${code}`),
];

const countOf = (groups: readonly Group[]): number => groups.reduce((sum, { count }) => sum + count, 0);

function waiting(cause: string, groups: readonly Group[]): Finding {
  const [first] = groups as [Group];
  return fault(
    `${countOf(groups)} events wait as dead letters: ${cause}; of ${named(groups)}.`,
    'What they tell of has not happened in that service.',
    `mend the cause, then, of each tenant, curl -H "x-api-key: $RAG_KEY" -d '{"reason": "${first.code}"}' -H 'content-type: application/json' "$RAGMESH/v1/admin/dead-letters/replay${tenantQuery(first)}"`,
  );
}

/** Another replay is refused. */
function refused(cause: string, groups: readonly Group[]): Finding {
  const [first] = groups as [Group];
  return fault(
    `${countOf(groups)} events are quarantined, three replays of each failed: ${cause}; of ${named(groups)}.`,
    'What they tell of has not happened in that service, and they cannot be replayed any more.',
    `mend the cause, POST /v1/documents/{id}/retry with a key of the tenant, then curl -H "x-api-key: $RAG_KEY" -d '{"ids":["ID"],"note":"WHY"}' -H 'content-type: application/json' "$RAGMESH/v1/admin/dead-letters/discard${tenantQuery(first)}"; deploy/runbooks/RagmeshDeadLettersUndecided.md`,
  );
}
