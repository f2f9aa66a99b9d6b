import { Injectable } from '@nestjs/common';
import { RagmeshError } from '@ragmesh/errors';
import { Database, type SqlTransaction } from '@ragmesh/postgres';

/** Use of one model by one tenant on one day (UTC). `unpriced`: requests whose cost is unknown. */
export interface UsageEntry {
  readonly tenant: string;
  readonly model: string;
  readonly day: string;
  readonly requests: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly cost: number;
  readonly unpriced: number;
}

export type UsageDimension = 'tenant' | 'model' | 'day';

export interface UsageQuery {
  /** Undefined for every tenant. */
  readonly tenant: string | undefined;
  /** First and last day, inclusive. */
  readonly since: string;
  readonly until: string;
  readonly groupBy: readonly UsageDimension[];
}

const ADD = `
  INSERT INTO llm_usage AS u (tenant, model, day, requests, prompt_tokens, completion_tokens, cost, unpriced)
  SELECT * FROM unnest($1::text[], $2::text[], $3::date[], $4::bigint[], $5::bigint[], $6::bigint[], $7::float8[], $8::bigint[])
  ORDER BY 1, 2, 3
  ON CONFLICT (tenant, model, day) DO UPDATE SET
    requests = u.requests + excluded.requests,
    prompt_tokens = u.prompt_tokens + excluded.prompt_tokens,
    completion_tokens = u.completion_tokens + excluded.completion_tokens,
    cost = u.cost + excluded.cost,
    unpriced = u.unpriced + excluded.unpriced`;

/** Groups one report has at most: what one message between services takes, with room to spare. */
const MOST_GROUPS = 50_000;

const columns: readonly (keyof UsageEntry)[] = [
  'tenant',
  'model',
  'day',
  'requests',
  'promptTokens',
  'completionTokens',
  'cost',
  'unpriced',
];

const valuesOf = (entries: readonly UsageEntry[]): unknown[][] =>
  columns.map((column) => entries.map((entry) => entry[column]));

/** Token usage by tenant, model and day. */
@Injectable()
export class UsageRepository {
  constructor(private readonly database: Database) {}

  /** Adds to what is there; each (tenant, model, day) at most once in `entries`. */
  async add(entries: readonly UsageEntry[]): Promise<void> {
    await this.database.query(ADD, valuesOf(entries));
  }

  /** The same as part of a transaction. */
  addIn(tx: SqlTransaction, entry: UsageEntry): void {
    tx.write(ADD, valuesOf([entry]));
  }

  /**
   * Sums by the named dimensions, the others empty; in their order.
   * @throws RagmeshError REQUEST.INVALID naming `since` for more groups than one report holds.
   */
  async report({ tenant, since, until, groupBy }: UsageQuery): Promise<UsageEntry[]> {
    const select = (['tenant', 'model', 'day'] as const).map((dimension) =>
      groupBy.includes(dimension) ? `${dimension}::text AS ${dimension}` : `'' AS ${dimension}`,
    );
    const group = groupBy.length > 0 ? `GROUP BY ${groupBy.join(', ')} ORDER BY ${groupBy.join(', ')}` : '';
    const sql = `SELECT ${select.join(', ')}, coalesce(sum(requests), 0)::float8 AS requests,
        coalesce(sum(prompt_tokens), 0)::float8 AS "promptTokens",
        coalesce(sum(completion_tokens), 0)::float8 AS "completionTokens",
        coalesce(sum(cost), 0) AS cost, coalesce(sum(unpriced), 0)::float8 AS unpriced
      FROM llm_usage WHERE ($1::text IS NULL OR tenant = $1) AND day BETWEEN $2::date AND $3::date ${group} LIMIT ${MOST_GROUPS + 1}`;
    const { rows } = await this.database.query<UsageEntry>(sql, [tenant ?? null, since, until]);
    if (rows.length > MOST_GROUPS) throw tooMany();
    return rows;
  }
}

const tooMany = (): RagmeshError =>
  new RagmeshError(
    'REQUEST.INVALID',
    `The report would have more than ${MOST_GROUPS} rows: ask from a later since on, or group by fewer of tenant, model and day.`,
    { field: 'since', limit: MOST_GROUPS },
  );
