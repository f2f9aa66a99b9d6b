import { Injectable } from '@nestjs/common';
import { Database, microsOf, type ListPosition } from '@ragmesh/postgres';
import { v7 as uuidv7 } from 'uuid';
import type { Judgement } from '../domain/feedback.js';

/** A judgement as it was kept. */
export interface FeedbackRow {
  readonly id: string;
  readonly request_id: string;
  readonly rating: string;
  readonly comment: string;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly created_micros: string;
}

const COLUMNS = `id, request_id, rating, comment, created_at, updated_at,
  ${microsOf('created_at')} AS created_micros`;

const GIVE = `
  INSERT INTO feedback AS f (tenant, request_id, subject, id, rating, comment) VALUES ($1, $2, $3, $4, $5, $6)
  ON CONFLICT (tenant, request_id, subject) DO UPDATE SET rating = excluded.rating, comment = excluded.comment,
    updated_at = CASE WHEN (f.rating, f.comment) = (excluded.rating, excluded.comment) THEN f.updated_at ELSE now() END
  RETURNING ${COLUMNS}, updated_at = now() AS is_news`;

/** What readers thought of answers, of one tenant at a time. */
@Injectable()
export class FeedbackRepository {
  constructor(private readonly database: Database) {}

  /** Keeps it in place of what `subject` thought before. @returns with it whether it says anything new. */
  async give(
    tenant: string,
    subject: string,
    { requestId, rating, comment }: Judgement,
  ): Promise<{ readonly row: FeedbackRow; readonly isNews: boolean }> {
    const values = [tenant, requestId, subject, uuidv7(), rating, comment];
    const { rows } = await this.database.query<FeedbackRow & { is_news: boolean }>(GIVE, values);
    const { is_news: isNews, ...row } = rows[0]!;
    return { row, isNews };
  }

  /** Newest first, from the one after `position`. */
  async list(tenant: string, limit: number, position?: ListPosition): Promise<FeedbackRow[]> {
    const sql = `SELECT ${COLUMNS} FROM feedback WHERE tenant = $1
        AND ($3::bigint IS NULL OR (created_at, id) < (timestamptz 'epoch' + $3::bigint * interval '1 microsecond', $4::text))
      ORDER BY created_at DESC, id DESC LIMIT $2`;
    const values = [tenant, limit, position?.createdMicros ?? null, position?.id ?? null];
    return (await this.database.query<FeedbackRow>(sql, values)).rows;
  }
}
