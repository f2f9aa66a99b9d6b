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

/** Tokens that somebody was charged. */
export interface Charge {
  readonly tenant: string;
  readonly subject: string;
  readonly tokens: number;
}

/** Tokens charged in the running day, kept over restarts. */
@Injectable()
export class TokenUseRepository {
  constructor(private readonly database: Database) {}

  /** Adds what several gateways charge, each for itself. A day begins with its first charge. @param charges one each. */
  async add(charges: readonly Charge[]): Promise<void> {
    await this.database.query(
      `INSERT INTO token_use AS t (tenant, subject, used, ends_at)
       SELECT tenant, subject, tokens, now() + make_interval(secs => $4)
       FROM unnest($1::text[], $2::text[], $3::bigint[]) AS charge (tenant, subject, tokens) ORDER BY tenant, subject
       ON CONFLICT (tenant, subject) DO UPDATE
         SET used = excluded.used + CASE WHEN t.ends_at > now() THEN t.used ELSE 0 END,
             ends_at = CASE WHEN t.ends_at > now() THEN t.ends_at ELSE excluded.ends_at END`,
      [
        charges.map(({ tenant }) => tenant),
        charges.map(({ subject }) => subject),
        charges.map(({ tokens }) => tokens),
        windowSeconds.tokens,
      ],
    );
  }

  /** Everybody's whose day has not ended. */
  async running(): Promise<TokenUse[]> {
    const sql = `SELECT tenant, subject, used::float8, extract(epoch FROM ends_at - now())::float8 * 1000 AS "resetMs"
      FROM token_use WHERE ends_at > now()`;
    return (await this.database.query<TokenUse>(sql)).rows;
  }

  /** Removes days that are over. */
  async removeEnded(): Promise<void> {
    await this.database.query('DELETE FROM token_use WHERE ends_at <= now()');
  }
}
