import { Injectable } from '@nestjs/common';
import { catalogue } from '@ragmesh/contracts';
import { Outbox } from '@ragmesh/outbox';

const NOTE = `
  INSERT INTO model (tenant, name, revision, folder, bytes, dimension) VALUES ($1, $2, $3, $4, $5, $6)
  ON CONFLICT (tenant, name, revision) DO UPDATE
  SET folder = excluded.folder, bytes = excluded.bytes, dimension = excluded.dimension, resolved_at = now()
  RETURNING xmax = 0 AS is_first`;

/** What is kept of a model. */
export interface UsableModel {
  readonly name: string;
  readonly revision: string;
  readonly folder: string;
  readonly dimension: number;
  readonly bytes: number;
}

/** Keeps which models were resolved, and from where. */
@Injectable()
export class ModelRecord {
  constructor(private readonly outbox: Outbox) {}

  /** Notes the model and, the first time ever, says that it can be used. Runs in a request context. */
  async note(tenant: string, { name, revision, folder, bytes, dimension }: UsableModel): Promise<void> {
    await this.outbox.transaction(async (tx, { publish }) => {
      const values = [tenant, name, revision, folder, bytes, dimension];
      const { rows } = await tx.query<{ is_first: boolean }>(NOTE, values);
      const model = `${name}@${revision}`;
      if (rows[0]?.is_first) publish(catalogue.modelLoaded, model, { model, dimension, bytes: BigInt(bytes) });
    });
  }
}
