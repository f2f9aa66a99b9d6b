import { Injectable } from '@nestjs/common';
import { catalogue } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { Outbox } from '@ragmesh/outbox';
import { Database } from '@ragmesh/postgres';
import type { ResolvedModel } from './model-source.js';

/** Models belong to the installation, not to whoever asks first. */
export const MODEL_TENANT = 'default';

const PREVIOUS = `
  SELECT revision, digest FROM model WHERE tenant = $1 AND name = $2 ORDER BY revision = $3 DESC, resolved_at DESC LIMIT 1`;

const NOTE = `
  INSERT INTO model (tenant, name, revision, folder, bytes, dimension, digest) VALUES ($1, $2, $3, $4, $5, $6, $7)
  ON CONFLICT (tenant, name, revision) DO UPDATE
  SET folder = excluded.folder, bytes = excluded.bytes, dimension = excluded.dimension, digest = excluded.digest,
    resolved_at = now()`;

const WISHES = {
  load: 'SET load_requested_at = now(), unload_requested_at = NULL',
  unload: 'SET unload_requested_at = now(), load_requested_at = NULL',
  pin: 'SET pinned = true',
  unpin: 'SET pinned = false',
} as const;

/** What an operator can want of a model. */
export type Wish = keyof typeof WISHES;

/** What is kept of a model. */
export interface KeptModel {
  readonly name: string;
  readonly revision: string;
  readonly folder: string;
  readonly bytes: number;
  readonly pinned: boolean;
  /** Processes that hold it in memory now, and what it takes there. */
  readonly holders: number;
  readonly memoryBytes: number;
}

/** How long a process that says nothing still counts as holding its models. */
export const HOLDER_LIVES_SECONDS = 60;

const KEPT = `
  SELECT m.name, m.revision, m.folder, m.bytes, m.pinned, count(r.holder)::int AS holders,
    coalesce(sum(r.bytes), 0) AS memory_bytes
  FROM model m LEFT JOIN resident r ON r.tenant = m.tenant AND r.model = m.name || '@' || m.revision
    AND r.seen_at > now() - ${HOLDER_LIVES_SECONDS} * interval '1 second'
  WHERE m.tenant = $1 GROUP BY m.tenant, m.name, m.revision`;

/** The registry: which models were resolved, what their files were, and what operators want of them. */
@Injectable()
export class ModelRecord {
  constructor(
    private readonly outbox: Outbox,
    private readonly database: Database,
  ) {}

  /**
   * Notes the model; says so when its name had another revision before. Runs in a request context.
   * @throws RagmeshError MODEL.CORRUPT when other files were known under this name and revision: their vectors differ.
   */
  async note({ name, revision, folder, bytes, dimension, digest }: ResolvedModel): Promise<void> {
    await this.outbox.transaction(async (tx, { publish }) => {
      const { rows } = await tx.query<{ revision: string; digest: string | null }>(PREVIOUS, [
        ...[MODEL_TENANT, name, revision],
      ]);
      const model = `${name}@${revision}`;
      const [previous] = rows;
      if (previous?.revision === revision && previous.digest !== null && previous.digest !== digest) {
        const message = `The files of ${model} were exchanged; other files need another revision.`;
        throw new RagmeshError('MODEL.CORRUPT', message, { model, folder });
      }
      tx.write(NOTE, [MODEL_TENANT, name, revision, folder, bytes, dimension, digest]);
      if (previous && previous.revision !== revision)
        publish(catalogue.modelUpdated, model, { model, previousRevision: previous.revision, revision });
    });
  }

  async wish(what: Wish, { name, revision }: Pick<ResolvedModel, 'name' | 'revision'>): Promise<void> {
    const sql = `UPDATE model ${WISHES[what]} WHERE tenant = $1 AND name = $2 AND revision = $3`;
    await this.database.query(sql, [MODEL_TENANT, name, revision]);
  }

  /** What was resolved at least once, by name@revision. */
  async kept(): Promise<Map<string, KeptModel>> {
    const { rows } = await this.database.query<Omit<KeptModel, 'memoryBytes'> & { memory_bytes: string }>(KEPT, [
      MODEL_TENANT,
    ]);
    const models = rows.map(({ memory_bytes, ...row }): [string, KeptModel] => [
      `${row.name}@${row.revision}`,
      { ...row, bytes: Number(row.bytes), memoryBytes: Number(memory_bytes) },
    ]);
    return new Map(models);
  }
}
