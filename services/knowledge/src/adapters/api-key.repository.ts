import { timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { RagmeshError } from '@ragmesh/errors';
import { Database, microsOf, type ListPosition } from '@ragmesh/postgres';
import { KeyOwnerRepository } from './key-owner.repository.js';

/** An API key without what was kept of its secret. */
export interface ApiKeyRow {
  readonly id: string;
  readonly name: string;
  readonly roles: readonly string[];
  /** Whose it is. */
  readonly owner: string;
  readonly created_by: string;
  readonly created_at: Date;
  readonly created_micros: string;
  readonly expires_at: Date | null;
  readonly last_used_at: Date | null;
  readonly revoked_at: Date | null;
}

/** A key as it is made. */
export interface ApiKeyInsert extends Pick<ApiKeyRow, 'id' | 'name' | 'roles' | 'created_by' | 'expires_at'> {
  readonly secretSha256: Buffer;
  /** Undefined for whoever makes it. */
  readonly owner: string | undefined;
  /** Tenant of whoever makes it. */
  readonly makerTenant: string;
}

/** Which keys are listed. */
export interface KeyQuery {
  /** Undefined for everyone's. */
  readonly owner: string | undefined;
  readonly limit: number;
  readonly position: ListPosition | undefined;
}

/** Who calls with a key that holds. */
export interface KeyHolder {
  readonly tenant: string;
  readonly roles: readonly string[];
  readonly expires_at: Date | null;
}

interface Candidate extends KeyHolder {
  readonly secret_sha256: Buffer;
  readonly holds: boolean;
  readonly is_use_due: boolean;
}

const FIELDS = `id, name, roles, coalesce(owner, created_by) AS owner, created_by, created_at, ${microsOf('created_at')} AS created_micros,
  expires_at, last_used_at, revoked_at`;

const REVOKE_WITH_MADE = `
  WITH RECURSIVE ended AS (
    SELECT $1::text AS id UNION SELECT made.id FROM api_key AS made JOIN ended ON made.created_by = 'key:' || ended.id
  )
  UPDATE api_key SET revoked_at = now() WHERE id IN (SELECT id FROM ended) AND revoked_at IS NULL RETURNING id`;

/** Compared with when there is no such key, so that a wrong id takes the time of a wrong secret. */
const NO_HASH = Buffer.alloc(32);

/** API keys; all but {@link verify} see one tenant at a time. */
@Injectable()
export class ApiKeyRepository {
  constructor(
    private readonly database: Database,
    private readonly owners: KeyOwnerRepository,
  ) {}

  /** @throws RagmeshError as {@link KeyOwnerRepository.admit} does. */
  create(tenant: string, key: ApiKeyInsert): Promise<ApiKeyRow> {
    return this.database.transaction(async (tx) => {
      const { created_by: createdBy, makerTenant } = key;
      const { owner, endsBy } = await this.owners.admit(tx, { tenant, createdBy, makerTenant, owner: key.owner });
      const { rows } = await tx.query<ApiKeyRow>(
        `INSERT INTO api_key (tenant, id, name, roles, secret_sha256, created_by, expires_at, owner, owner_tenant)
         VALUES ($1, $2, $3, $4, $5, $6, least($7::timestamptz, $8::timestamptz), $9, nullif($10::text, $1::text)) RETURNING ${FIELDS}`,
        [
          tenant,
          key.id,
          key.name,
          key.roles,
          key.secretSha256,
          createdBy,
          key.expires_at,
          endsBy,
          owner.name,
          owner.tenant,
        ],
      );
      return rows[0]!;
    });
  }

  /** @throws RagmeshError KEY.NOT_FOUND. */
  async get(tenant: string, id: string): Promise<ApiKeyRow> {
    const sql = `SELECT ${FIELDS} FROM api_key WHERE tenant = $1 AND id = $2`;
    const { rows } = await this.database.query<ApiKeyRow>(sql, [tenant, id]);
    if (!rows[0]) throw notFound(id);
    return rows[0];
  }

  /** Newest first, from the one after `position`; revoked ones, too. */
  async list(tenant: string, { owner, limit, position }: KeyQuery): Promise<ApiKeyRow[]> {
    const { rows } = await this.database.query<ApiKeyRow>(
      `SELECT ${FIELDS} FROM api_key WHERE tenant = $1
         AND ($3::bigint IS NULL OR (created_at, id) < (timestamptz 'epoch' + $3::bigint * interval '1 microsecond', $4::text))
         AND ($5::text IS NULL OR coalesce(owner, created_by) = $5)
       ORDER BY api_key.created_at DESC, api_key.id DESC LIMIT $2`,
      [tenant, limit, position?.createdMicros ?? null, position?.id ?? null, owner ?? null],
    );
    return rows;
  }

  /**
   * Revokes a key, every key that was made with it, whoever owns that, and those made with these. One that is revoked already
   * stays as it is. @returns the ids of those that held until now. @throws RagmeshError KEY.NOT_FOUND.
   */
  revoke(tenant: string, id: string): Promise<string[]> {
    return this.database.transaction(async (tx) => {
      const lock = 'SELECT FROM api_key WHERE tenant = $1 AND id = $2 FOR UPDATE';
      if ((await tx.query(lock, [tenant, id])).rowCount === 0) throw notFound(id);
      const revoked: string[] = [];
      // Until nothing is left: what is revoked can make no more, but may have made one while it was waited for.
      for (;;) {
        const { rows } = await tx.query<{ id: string }>(REVOKE_WITH_MADE, [id]);
        if (rows.length === 0) return revoked;
        revoked.push(...rows.map((row) => row.id));
      }
    });
  }

  /** Whose key this is; undefined for an unknown id, a wrong secret, and a key that expired or was revoked. */
  async verify(id: string, secretSha256: Uint8Array): Promise<KeyHolder | undefined> {
    const { rows } = await this.database.query<Candidate>(
      `SELECT tenant, roles, expires_at, secret_sha256,
              revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now()) AS holds,
              last_used_at IS NULL OR last_used_at < now() - interval '1 minute' AS is_use_due
       FROM api_key WHERE id = $1`,
      [id],
    );
    const [candidate] = rows;
    const isSecret = matches(candidate?.secret_sha256 ?? NO_HASH, secretSha256);
    if (!candidate || !isSecret || !candidate.holds) return undefined;
    // On a full disk, say, a key that holds must not be refused for want of a note.
    if (candidate.is_use_due) await this.#noteUse(id).catch(() => undefined);
    return candidate;
  }

  /** At most once a minute, also when many processes ask at once: a busy key must not become a busy row. */
  async #noteUse(id: string): Promise<void> {
    await this.database.query(
      `UPDATE api_key SET last_used_at = now()
       WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')`,
      [id],
    );
  }
}

/** Takes the same time wherever the first difference is, so that a hash cannot be found byte by byte. */
const matches = (kept: Uint8Array, given: Uint8Array): boolean =>
  given.length === kept.length && timingSafeEqual(kept, given);

const notFound = (id: string): RagmeshError =>
  new RagmeshError('KEY.NOT_FOUND', `There is no API key "${id}".`, { id });
