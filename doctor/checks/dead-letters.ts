import { fault, type Finding } from '../finding.js';
import type { Situation } from '../situation.js';

interface Letters {
  readonly groups: readonly {
    readonly code: string;
    readonly handler: string;
    readonly count: number;
  }[];
}

/** Whether events were given up that nobody has decided about. */
export async function checkDeadLetters({ gateway }: Situation): Promise<Finding[]> {
  const letters = await gateway.json<Letters>('/v1/admin/dead-letters?limit=1');
  return (letters?.groups ?? []).map(({ code, handler, count }) =>
    fault(
      `${count} events wait as dead letters: ${handler} gave them up with ${code}.`,
      'What they tell of has not happened in that service.',
      `mend the cause, then curl -H "x-api-key: $RAG_KEY" -d '{"reason": "${code}"}' -H 'content-type: application/json' "$RAGMESH/v1/admin/dead-letters/replay"`,
    ),
  );
}
