import { fault, unseen, type Finding } from '../finding.js';
import { listOfAllTenants, named, tenantQuery, type OfTenant } from '../all-tenants.js';
import type { Situation } from '../situation.js';

interface Saga extends OfTenant {
  readonly id: string;
  readonly kind: string;
  readonly step: string;
}

/** Whether a process across services gets nowhere. */
export async function checkSagas({ gateway }: Situation): Promise<Finding[]> {
  const [overdue, stuck] = await Promise.all([
    listOfAllTenants<{ data: readonly Saga[] }>(gateway, '/v1/admin/sagas?overdue=true&limit=200'),
    listOfAllTenants<{ data: readonly Saga[] }>(gateway, '/v1/admin/sagas?state=compensation_failed&limit=200'),
  ]);
  if (overdue.list === undefined || stuck.list === undefined) return [unseen];
  return [
    ...overdue.findings,
    ...told(overdue.list.data, 'past the deadline of their step'),
    ...told(stuck.list.data, 'in an undo that gets nowhere'),
  ];
}

function told(sagas: readonly Saga[], how: string): Finding[] {
  const [first] = sagas;
  if (first === undefined) return [];
  const { id, kind, step } = first;
  return [
    fault(
      `${sagas.length} sagas are ${how}, such as ${kind} ${id} at ${step}; of ${named(sagas)}.`,
      'Their documents or reindexes neither succeed nor fail by themselves.',
      `curl -H "x-api-key: $RAG_KEY" -X POST "$RAGMESH/v1/admin/sagas/${id}/resume${tenantQuery(first)}" once what it waits for works; deploy/runbooks/RagmeshSagasOverdue.md`,
    ),
  ];
}
