import { Injectable } from '@nestjs/common';
import { catalogue } from '@ragmesh/contracts';
import { Outbox } from '@ragmesh/outbox';
import { HOLDER_LIVES_SECONDS, MODEL_TENANT } from './model-record.js';

/** Two processes that report at once would both take themselves for the first or the last. */
const LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('model.residents', 0))";

const BEFORE = 'SELECT DISTINCT model FROM resident WHERE tenant = $1';

const FORGET = `
  DELETE FROM resident WHERE tenant = $1
  AND (holder = $2 AND NOT model = ANY ($3) OR seen_at < now() - ${HOLDER_LIVES_SECONDS} * interval '1 second')`;

const REMEMBER = `
  INSERT INTO resident (tenant, holder, model, bytes) SELECT $1, $2, model, bytes FROM unnest($3::text[], $4::bigint[]) AS t(model, bytes)
  ON CONFLICT (tenant, holder, model) DO UPDATE SET bytes = excluded.bytes, seen_at = now()`;

const AFTER = `
  SELECT r.model, max(m.dimension) AS dimension, max(r.bytes) AS bytes FROM resident r
  LEFT JOIN model m ON m.tenant = r.tenant AND m.name || '@' || m.revision = r.model
  WHERE r.tenant = $1 GROUP BY r.model`;

const WISHES = `
  SELECT name || '@' || revision AS model, pinned,
    extract(epoch FROM now() - load_requested_at) * 1000 AS load_ms,
    extract(epoch FROM now() - unload_requested_at) * 1000 AS unload_ms
  FROM model WHERE tenant = $1 AND (pinned OR load_requested_at IS NOT NULL OR unload_requested_at IS NOT NULL)`;

/** What operators want of a model, and how long ago they said so, by the clock of the database. */
export interface Wishes {
  readonly model: string;
  readonly pinned: boolean;
  readonly loadMs: number | undefined;
  readonly unloadMs: number | undefined;
}

interface ResidentRow {
  readonly model: string;
  readonly dimension: number | null;
  readonly bytes: string;
}

interface WishRow {
  readonly model: string;
  readonly pinned: boolean;
  readonly load_ms: string | null;
  readonly unload_ms: string | null;
}

/** Which process holds which models in memory. */
@Injectable()
export class ResidentRecord {
  constructor(private readonly outbox: Outbox) {}

  /**
   * Replaces what is known of a process and says which models came into the memory of the first process or left that of the
   * last. Processes that fell silent are forgotten on the way. Runs in a request context.
   * @returns what operators want.
   */
  async replace(
    holder: string,
    residents: readonly { readonly model: string; readonly bytes: number }[],
  ): Promise<Wishes[]> {
    const models = residents.map(({ model }) => model);
    return this.outbox.transaction(async (tx, { publish }) => {
      await tx.query(LOCK);
      const before = await tx.query<ResidentRow>(BEFORE, [MODEL_TENANT]);
      tx.write(FORGET, [MODEL_TENANT, holder, models]);
      tx.write(REMEMBER, [MODEL_TENANT, holder, models, residents.map(({ bytes }) => bytes)]);
      const after = await tx.query<ResidentRow>(AFTER, [MODEL_TENANT]);
      const known = new Set(before.rows.map(({ model }) => model));
      for (const { model, dimension, bytes } of after.rows) {
        if (!known.delete(model))
          publish(catalogue.modelLoaded, model, { model, dimension: dimension ?? 0, bytes: BigInt(bytes) });
      }
      for (const model of known) publish(catalogue.modelUnloaded, model, { model });
      const { rows } = await tx.query<WishRow>(WISHES, [MODEL_TENANT]);
      return rows.map(({ model, pinned, load_ms, unload_ms }) => ({
        ...{ model, pinned },
        loadMs: load_ms === null ? undefined : Number(load_ms),
        unloadMs: unload_ms === null ? undefined : Number(unload_ms),
      }));
    });
  }
}
