import { fault, type Finding } from '../finding.js';
import { askDatabase, meshDatabase } from '../mesh-database.js';
import type { Situation } from '../situation.js';

/** Signed calls live for a minute and tokens have half a minute of leeway; this leaves room. */
const MOST_SECONDS = 10;

/** Whether this machine's clock agrees with those of the edge and the database. */
export async function checkClock(situation: Situation): Promise<Finding[]> {
  const [edge, database] = await Promise.all([edgeSkew(situation), databaseSkew(situation)]);
  return [...skewed('the edge', edge), ...skewed('PostgreSQL', database)];
}

/** The header has whole seconds, which the limit does not mind. */
async function edgeSkew({ gateway }: Situation): Promise<number | undefined> {
  const date = (await gateway.ask('/healthz'))?.date;
  return date && (date.getTime() - Date.now()) / 1000;
}

async function databaseSkew(situation: Situation): Promise<number | undefined> {
  const database = meshDatabase(situation);
  if (database === undefined) return undefined;
  const question = 'SELECT extract(epoch FROM clock_timestamp())::float8 AS now';
  const rows = await askDatabase<{ now: number }>(database.of('postgres'), question).catch(() => []);
  return rows[0] && rows[0].now - Date.now() / 1000;
}

export function skewed(whose: string, seconds: number | undefined): Finding[] {
  if (seconds === undefined || Math.abs(seconds) <= MOST_SECONDS) return [];
  const way = seconds > 0 ? 'ahead of' : 'behind';
  return [
    fault(
      `The clock of ${whose} is ${Math.round(Math.abs(seconds))} s ${way} this machine's.`,
      'Services refuse signed calls of each other, and tokens are taken for expired or not yet valid.',
      'timedatectl set-ntp true on both machines, then chronyc tracking or timedatectl timesync-status',
    ),
  ];
}
