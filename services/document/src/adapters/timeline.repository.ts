import { Injectable } from '@nestjs/common';
import { Database } from '@ragmesh/postgres';

/** One thing that happened to a document. */
export interface TimelineRow {
  readonly saga_name: string;
  readonly saga_id: string;
  readonly step: string;
  readonly status: string;
  readonly detail: string;
  readonly at: Date;
}

/** Reads what the sagas of a document noted. */
@Injectable()
export class TimelineRepository {
  constructor(private readonly database: Database) {}

  /** Oldest first, over all versions. */
  async steps(tenant: string, documentId: string): Promise<TimelineRow[]> {
    const { rows } = await this.database.query<TimelineRow>(
      `SELECT saga_name, saga_id, step, status, detail, at FROM saga_step
       WHERE saga_name IN ('document-ingestion', 'document-deletion') AND starts_with(saga_id, $1) ORDER BY seq LIMIT 1000`,
      [`${tenant}/${documentId}@`],
    );
    return rows;
  }

  /** Trace id of the newest ingestion; empty when it was not traced. */
  async traceId(tenant: string, documentId: string): Promise<string> {
    const { rows } = await this.database.query<{ traceparent: string | null }>(
      `SELECT trace ->> 'traceparent' AS traceparent FROM saga
       WHERE name = 'document-ingestion' AND starts_with(id, $1) ORDER BY created_at DESC LIMIT 1`,
      [`${tenant}/${documentId}@`],
    );
    return rows[0]?.traceparent?.split('-')[1] ?? '';
  }
}
