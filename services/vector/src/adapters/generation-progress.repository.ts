import { Injectable } from '@nestjs/common';
import { Database, type SqlRunner, type SqlTransaction } from '@ragmesh/postgres';
import type { DocumentPoints } from './point.repository.js';
import type { Scope } from './vector-store.js';

/** A version of a document in a generation. */
export interface GenerationVersion extends DocumentPoints {
  readonly version: number;
  readonly generation: number;
}

/** How far a generation is behind what readers see. */
export interface GenerationState {
  /** Documents readers see. */
  readonly documents: number;
  /** Those of them the generation has completely. */
  readonly complete: number;
  /** Those it lacks, up to and including the one the question named. */
  readonly behind: number;
}

const NOTE = `
  INSERT INTO generation_document AS known (tenant, collection, generation, document_id, version, batches, complete)
  VALUES ($1, $2, $3, $4, $5, ARRAY[$6::int], $7::int = 1)
  ON CONFLICT (tenant, collection, document_id, version, generation) DO UPDATE SET
    batches = known.batches || $6, complete = known.complete OR cardinality(known.batches) + 1 >= $7
  WHERE $6 <> ALL(known.batches)`;

const LACKS = `
  FROM document_index d LEFT JOIN generation_document g ON g.tenant = d.tenant AND g.collection = d.collection
    AND g.generation = $3 AND g.document_id = d.document_id AND g.version = d.visible_version AND g.complete
  WHERE d.tenant = $1 AND d.collection = $2 AND d.visible_version IS NOT NULL`;

const STATE = `
  SELECT count(*) AS documents, count(g.document_id) AS complete,
    count(*) FILTER (WHERE g.document_id IS NULL AND d.document_id <= $4) AS behind ${LACKS}`;

const MISSING = `
  SELECT d.document_id AS "documentId", d.visible_version AS version ${LACKS}
    AND g.document_id IS NULL AND d.document_id > $4 ORDER BY d.document_id LIMIT $5`;

/** What readers see is complete by definition: a version is not shown before all of it is there. */
const SEAL = `
  INSERT INTO generation_document (tenant, collection, generation, document_id, version, batches, complete)
  SELECT tenant, collection, $3, document_id, visible_version, '{}', true FROM document_index d
  WHERE tenant = $1 AND collection = $2 AND visible_version IS NOT NULL AND NOT EXISTS (
    SELECT FROM generation_document g WHERE g.tenant = $1 AND g.collection = $2 AND g.document_id = d.document_id
      AND g.version = d.visible_version AND g.generation = $3)
  ON CONFLICT DO NOTHING`;

/** Which documents a generation has. */
@Injectable()
export class GenerationProgress {
  constructor(private readonly database: Database) {}

  /** Notes that a batch came. The document's row is locked; the same batch again changes nothing. */
  note(
    tx: SqlTransaction,
    { tenant, collection, generation, documentId, version }: GenerationVersion,
    { batch, batches }: { readonly batch: number; readonly batches: number },
  ): void {
    tx.write(NOTE, [tenant, collection, generation, documentId, version, batch, batches]);
  }

  /** @param upTo documents up to this id count as `behind` when they are missing. */
  async state(
    { tenant, collection }: Scope,
    generation: number,
    upTo: string,
    runner: SqlRunner = this.database,
  ): Promise<GenerationState> {
    return (await runner.query<GenerationState>(STATE, [tenant, collection, generation, upTo])).rows[0]!;
  }

  /** Documents readers see and the generation lacks, by id, from behind `after` on. */
  async missing(
    { tenant, collection }: Scope,
    generation: number,
    after: string,
    limit: number,
  ): Promise<{ readonly documentId: string; readonly version: number }[]> {
    const values = [tenant, collection, generation, after, limit];
    return (await this.database.query<{ documentId: string; version: number }>(MISSING, values)).rows;
  }

  /** Points of a generation, whether readers see them or not. */
  async points({ tenant, collection }: Scope, generation: number): Promise<number> {
    const sql = 'SELECT count(*) AS points FROM point WHERE tenant = $1 AND collection = $2 AND generation = $3';
    return (await this.database.query<{ points: number }>(sql, [tenant, collection, generation])).rows[0]!.points;
  }

  /**
   * Notes of the generation readers see that it has all they see, as it may soon be another they see. What becomes visible
   * later was written while there were several, so it is noted by its batches.
   */
  async seal({ tenant, collection }: Scope, live: number): Promise<void> {
    await this.database.query(SEAL, [tenant, collection, live]);
  }
}
