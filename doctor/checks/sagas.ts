import { fault, type Finding } from '../finding.js';
import type { Situation } from '../situation.js';

interface Sagas {
  readonly data: readonly { readonly id: string; readonly kind: string; readonly step: string }[];
}

/** Whether a process across services gets nowhere. */
export async function checkSagas({ gateway }: Situation): Promise<Finding[]> {
  const [overdue, stuck] = await Promise.all([
    gateway.json<Sagas>('/v1/admin/sagas?overdue=true'),
    gateway.json<Sagas>('/v1/admin/sagas?state=compensation_failed'),
  ]);
  return [...told(overdue, 'past the deadline of their step'), ...told(stuck, 'in an undo that gets nowhere')];
}

function told(sagas: Sagas | undefined, how: string): Finding[] {
  if (sagas === undefined || sagas.data.length === 0) return [];
  const [{ id, kind, step }] = sagas.data as [Sagas['data'][number]];
  return [
    fault(
      `${sagas.data.length} sagas are ${how}, such as ${kind} ${id} at ${step}.`,
      'Their documents or reindexes neither succeed nor fail by themselves.',
      `curl -H "x-api-key: $RAG_KEY" -X POST "$RAGMESH/v1/admin/sagas/${id}/resume" once what it waits for works; deploy/runbooks/RagmeshSagasOverdue.md`,
    ),
  ];
}
