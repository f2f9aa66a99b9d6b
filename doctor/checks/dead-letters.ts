import { fault, type Finding } from '../finding.js';
import { listOfAllTenants, named, tenantQuery, type OfTenant } from '../all-tenants.js';
import type { Situation } from '../situation.js';

interface Group extends OfTenant {
  readonly code: string;
  readonly handler: string;
  readonly count: number;
}

/** Whether events were given up that nobody has decided about. */
export async function checkDeadLetters({ gateway }: Situation): Promise<Finding[]> {
  const { list, findings } = await listOfAllTenants<{ groups: readonly Group[] }>(
    gateway,
    '/v1/admin/dead-letters?limit=1',
  );
  const causes = Map.groupBy(list?.groups ?? [], ({ handler, code }) => `${handler} gave them up with ${code}`);
  return [...findings, ...[...causes].map(([cause, groups]) => waiting(cause, groups))];
}

function waiting(cause: string, groups: readonly Group[]): Finding {
  const count = groups.reduce((sum, group) => sum + group.count, 0);
  const [first] = groups as [Group];
  return fault(
    `${count} events wait as dead letters: ${cause}; of ${named(groups)}.`,
    'What they tell of has not happened in that service.',
    `mend the cause, then, of each tenant, curl -H "x-api-key: $RAG_KEY" -d '{"reason": "${first.code}"}' -H 'content-type: application/json' "$RAGMESH/v1/admin/dead-letters/replay${tenantQuery(first)}"`,
  );
}
