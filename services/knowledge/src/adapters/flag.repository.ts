import { Injectable } from '@nestjs/common';
import { Database, type SqlTransaction } from '@ragmesh/postgres';

export type FlagValue = boolean | number | string | null;

export interface FlagRow {
  readonly name: string;
  readonly value: FlagValue;
  readonly changed_by: string;
  readonly changed_at: Date;
}

export interface FlagChangeRow {
  readonly old_value: FlagValue;
  readonly new_value: FlagValue;
  readonly changed_by: string;
  readonly changed_at: Date;
  readonly request_id: string;
}

/** Who changes a flag, and for which request. */
export interface Author {
  readonly subject: string;
  readonly requestId: string;
}

const SET = `
  INSERT INTO flag (name, value, changed_by) VALUES ($1, $2, $3)
  ON CONFLICT (name) DO UPDATE SET value = excluded.value, changed_by = excluded.changed_by, changed_at = now()
  RETURNING name, value, changed_by, changed_at`;

/** Flags as they are set, and every change of them. */
@Injectable()
export class FlagRepository {
  constructor(private readonly database: Database) {}

  /** Number of the last change; 0 before the first one. */
  async revision(): Promise<bigint> {
    const { rows } = await this.database.query<{ revision: number }>(
      'SELECT coalesce(max(revision), 0) AS revision FROM flag_change',
    );
    return BigInt(rows[0]!.revision);
  }

  async list(): Promise<FlagRow[]> {
    const { rows } = await this.database.query<FlagRow>(
      'SELECT name, value, changed_by, changed_at FROM flag ORDER BY name',
    );
    return rows;
  }

  /** Sets it and notes what it was before. @returns the flag, and the number of the change. */
  async set(tx: SqlTransaction, name: string, value: FlagValue, author: Author): Promise<[FlagRow, bigint]> {
    // One after the other: a change with a lower number is never seen after one with a higher.
    tx.write('LOCK TABLE flag IN SHARE ROW EXCLUSIVE MODE');
    const { rows: before } = await tx.query<FlagRow>('SELECT value FROM flag WHERE name = $1', [name]);
    const stored = value === null ? null : JSON.stringify(value);
    const { rows } = await tx.query<FlagRow>(SET, [name, stored, author.subject]);
    const old = before[0]?.value ?? null;
    const change = await tx.query<{ revision: number }>(
      `INSERT INTO flag_change (name, old_value, new_value, changed_by, request_id) VALUES ($1, $2, $3, $4, $5)
       RETURNING revision`,
      [name, old === null ? null : JSON.stringify(old), stored, author.subject, author.requestId],
    );
    return [rows[0]!, BigInt(change.rows[0]!.revision)];
  }

  /** The latest hundred, newest first. */
  async changes(name: string): Promise<FlagChangeRow[]> {
    const { rows } = await this.database.query<FlagChangeRow>(
      `SELECT old_value, new_value, changed_by, changed_at, request_id FROM flag_change
       WHERE name = $1 ORDER BY revision DESC LIMIT 100`,
      [name],
    );
    return rows;
  }
}
