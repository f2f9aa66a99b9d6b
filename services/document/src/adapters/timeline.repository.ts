import { Injectable } from '@nestjs/common';
import { Database } from '@ragmesh/postgres';
import { deletionId, deletionSaga } from '../sagas/deletion.saga.js';
import { ingestionId, ingestionSaga } from '../sagas/ingestion.saga.js';
import type { DocumentRow } from './document.rows.js';

/** Versions, and steps of them, that a timeline has at most: the latest. */
const MOST = 1000;

/** One thing that happened to a document. */
export interface TimelineRow {
  readonly saga_name: string;
  readonly saga_id: string;
  readonly step: string;
  readonly status: string;
  readonly detail: string;
  readonly at: Date;
}

type Versions = Pick<DocumentRow, 'id' | 'version'>;

/** Reads what the sagas of a document noted. */
@Injectable()
export class TimelineRepository {
  constructor(private readonly database: Database) {}

  /** The latest thousand, oldest first, over all versions. */
  async steps(tenant: string, { id, version }: Versions): Promise<TimelineRow[]> {
    const versions = latest(version);
    const { rows } = await this.database.query<TimelineRow>(
      `SELECT saga_name, saga_id, step, status, detail, at FROM (
         SELECT * FROM saga_step
         WHERE saga_name = $1 AND saga_id = ANY ($2) OR saga_name = $3 AND saga_id = ANY ($4)
         ORDER BY seq DESC LIMIT ${MOST}) AS latest ORDER BY seq`,
      [
        ingestionSaga.name,
        versions.map((each) => ingestionId(tenant, id, each)),
        deletionSaga.name,
        versions.map((each) => deletionId(tenant, id, each)),
      ],
    );
    return rows;
  }

  /** Trace id of the newest ingestion; empty when it was not traced. */
  async traceId(tenant: string, { id, version }: Versions): Promise<string> {
    const { rows } = await this.database.query<{ traceparent: string | null }>(
      `SELECT trace ->> 'traceparent' AS traceparent FROM saga
       WHERE name = $1 AND id = ANY ($2) ORDER BY created_at DESC LIMIT 1`,
      [ingestionSaga.name, latest(version).map((each) => ingestionId(tenant, id, each))],
    );
    return rows[0]?.traceparent?.split('-')[1] ?? '';
  }
}

/** The newest first. Versions count from 1 and leave none out. */
const latest = (newest: number): number[] =>
  Array.from({ length: Math.min(newest, MOST) }, (_, older) => newest - older);
