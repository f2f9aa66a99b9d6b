import { Injectable } from '@nestjs/common';
import { Database } from '@ragmesh/postgres';
import { windowSeconds } from './limits.js';

/** What a tenant (subject `WHOLE_TENANT`) or a caller of it was charged in its running day. */
export interface TokenUse {
  readonly tenant: string;
  readonly subject: string;
  readonly used: number;
  /** Milliseconds until the day ends. */
  readonly resetMs: number;
}

/** Tokens charged in the running day, kept over restarts. */
@Injectable()
export class TokenUseRepository {
  constructor(private readonly database: Database) {}

  /** Adds what several gateways charge, each for itself. A day begins with its first charge. */
  async add(tenant: string, subjects: readonly string[], tokens: number): Promise<void> {
    await this.database.query(
      `INSERT INTO token_use AS t (tenant, subject, used, ends_at)
       SELECT $1::text, subject, $3::bigint, now() + make_interval(secs => $4) FROM unnest($2::text[]) AS subject
       ON CONFLICT (tenant, subject) DO UPDATE
         SET used = excluded.used + CASE WHEN t.ends_at > now() THEN t.used ELSE 0 END,
             ends_at = CASE WHEN t.ends_at > now() THEN t.ends_at ELSE excluded.ends_at END`,
      [tenant, subjects, tokens, windowSeconds.tokens],
    );
  }

  /** Everybody's whose day has not ended. Removes what is over. */
  async running(): Promise<TokenUse[]> {
    await this.database.query('DELETE FROM token_use WHERE ends_at <= now()');
    const sql = `SELECT tenant, subject, used::float8, extract(epoch FROM ends_at - now())::float8 * 1000 AS "resetMs" FROM token_use`;
    return (await this.database.query<TokenUse>(sql)).rows;
  }
}
