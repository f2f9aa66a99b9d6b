import { Injectable } from '@nestjs/common';
import { Database } from '@ragmesh/postgres';
import type { AuditEntry, AuditOutcome, RecordedEntry } from './audit-entry.js';

/** Which entries; what is undefined says nothing. */
export interface AuditQuery {
  /** Entries of this tenant's actors, and those of others' that were done to it. */
  readonly tenant: string;
  readonly actor: string | undefined;
  readonly action: string | undefined;
  /** What was named, or made. */
  readonly target: string | undefined;
  readonly since: Date | undefined;
  readonly until: Date | undefined;
  /** Only entries before this sequence. */
  readonly before: string | undefined;
  readonly limit: number;
}

const ADD = `
  INSERT INTO audit_entry (id, tenant, on_tenant, actor, action, target, request_id, trace_id)
  SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
  ON CONFLICT (id) DO NOTHING`;
const entryFields = ['id', 'tenant', 'onTenant', 'actor', 'action', 'target', 'requestId', 'traceId'] as const;

/** As JSON, since each row holds a list. */
const END = `
  INSERT INTO audit_outcome (tenant, id, status, code, made)
  SELECT tenant, id, status, code, made
  FROM jsonb_to_recordset($1::jsonb) AS o (tenant text, id uuid, status int, code text, made text[])
  ON CONFLICT (tenant, id) DO NOTHING`;

const SELECT = `
  SELECT e.id, e.sequence::text AS sequence, e.at, e.tenant, e.on_tenant AS "onTenant", e.actor, e.action, e.target,
         e.request_id AS "requestId", e.trace_id AS "traceId", o.status, o.code, coalesce(o.made, '{}') AS made
  FROM audit_entry e LEFT JOIN audit_outcome o ON o.tenant = e.tenant AND o.id = e.id`;

/** Each with a question mark in place of its value; those without a value are left out, so that an index serves the rest. */
const conditions = {
  tenant: '(e.tenant = ? OR e.on_tenant = ?)',
  actor: 'e.actor = ?',
  action: 'e.action = ?',
  target: '(e.target = ? OR o.made @> ARRAY[?])',
  since: 'e.at >= ?::timestamptz',
  until: 'e.at < ?::timestamptz',
  before: 'e.sequence < ?::bigint',
} as const satisfies Partial<Record<keyof AuditQuery, string>>;

/** The audit trail. It can be added to and read; the database refuses everything else. */
@Injectable()
export class AuditRepository {
  constructor(private readonly database: Database) {}

  /** Entries that are there already stay as they are. */
  async add(entries: readonly AuditEntry[]): Promise<void> {
    await this.database.query(ADD, columns(entries, entryFields));
  }

  async end(outcomes: readonly AuditOutcome[]): Promise<void> {
    await this.database.query(END, [JSON.stringify(outcomes)]);
  }

  /** Newest first. */
  async list({ limit, ...query }: AuditQuery): Promise<RecordedEntry[]> {
    const given = Object.entries(query).filter(([, value]) => value !== undefined) as [
      keyof typeof conditions,
      unknown,
    ][];
    const where = given.map(([name], index) => conditions[name].replaceAll('?', `$${index + 1}`));
    const sql = `${SELECT} WHERE ${where.join(' AND ')} ORDER BY e.sequence DESC LIMIT $${given.length + 1}`;
    return (await this.database.query<RecordedEntry>(sql, [...given.map(([, value]) => value), limit])).rows;
  }
}

const columns = <Row, Field extends keyof Row>(rows: readonly Row[], fields: readonly Field[]): unknown[] =>
  fields.map((field) => rows.map((row) => row[field]));
