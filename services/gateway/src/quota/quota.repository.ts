import { Injectable } from '@nestjs/common';
import { Database } from '@ragmesh/postgres';
import type { Override } from './limits.js';

/** The subject of a tenant's own limits. */
export const WHOLE_TENANT = '';

/** An override and who set it. */
export interface StoredOverride extends Override {
  readonly subject: string;
  readonly setBy: string;
  readonly setAt: Date;
}

const FIELDS = `subject, requests_per_minute AS requests, tokens_per_day::float8 AS tokens, set_by AS "setBy", set_at AS "setAt"`;

/** Limits that an administrator set for a tenant or for callers of it. */
@Injectable()
export class QuotaRepository {
  constructor(private readonly database: Database) {}

  /** The tenant's own and those of its callers. */
  async ofTenant(tenant: string): Promise<StoredOverride[]> {
    const sql = `SELECT ${FIELDS} FROM quota_override WHERE tenant = $1`;
    return (await this.database.query<StoredOverride>(sql, [tenant])).rows;
  }

  async find(tenant: string, subject: string): Promise<StoredOverride | undefined> {
    const sql = `SELECT ${FIELDS} FROM quota_override WHERE tenant = $1 AND subject = $2`;
    return (await this.database.query<StoredOverride>(sql, [tenant, subject])).rows[0];
  }

  async set(tenant: string, subject: string, { requests, tokens }: Override, setBy: string): Promise<void> {
    await this.database.query(
      `INSERT INTO quota_override (tenant, subject, requests_per_minute, tokens_per_day, set_by)
       VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (tenant, subject) DO UPDATE
         SET requests_per_minute = excluded.requests_per_minute, tokens_per_day = excluded.tokens_per_day,
             set_by = excluded.set_by, set_at = now()`,
      [tenant, subject, requests, tokens, setBy],
    );
  }
}
