import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampDate, timestampFromDate } from '@bufbuild/protobuf/wkt';
import { Controller } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import type { knowledgeV1 } from '@ragmesh/contracts';
import { currentContext, currentTenant } from '@ragmesh/observability';
import { decodeCursor, encodeCursor } from '@ragmesh/postgres';
import { ApiKeyRepository, type ApiKeyRow } from '../adapters/api-key.repository.js';
import { KeyOwnerRepository } from '../adapters/key-owner.repository.js';
import { newApiKey } from '../domain/api-key.js';

type KeyReply = MessageInitShape<typeof knowledgeV1.KeySchema>;
type CreateReply = MessageInitShape<typeof knowledgeV1.CreateKeyResponseSchema>;
type ListReply = MessageInitShape<typeof knowledgeV1.ListKeysResponseSchema>;
type RemoveOwnerReply = MessageInitShape<typeof knowledgeV1.RemoveOwnerResponseSchema>;
type CheckOwnerReply = MessageInitShape<typeof knowledgeV1.CheckOwnerResponseSchema>;
type VerifyReply = MessageInitShape<typeof knowledgeV1.VerifyKeyResponseSchema>;

const DEFAULT_PAGE = 50;
const MAX_PAGE = 200;

/** API keys of the caller's tenant. What a role permits is the edge's business. */
@Controller()
export class ApiKeyGrpcController {
  constructor(
    private readonly keys: ApiKeyRepository,
    private readonly owners: KeyOwnerRepository,
  ) {}

  @GrpcMethod('KeyService', 'CreateKey')
  async create({ name, roles, expiresAt, owner, makerTenant }: knowledgeV1.CreateKeyRequest): Promise<CreateReply> {
    const { id, text, secretSha256 } = newApiKey();
    const tenant = currentTenant();
    const row = await this.keys.create(tenant, {
      id,
      name,
      roles,
      secretSha256,
      owner: owner || undefined,
      makerTenant: makerTenant || tenant,
      created_by: currentContext()?.subject ?? '',
      expires_at: expiresAt ? timestampDate(expiresAt) : null,
    });
    return { key: toKey(row), secret: text };
  }

  @GrpcMethod('KeyService', 'GetKey')
  async get({ id }: knowledgeV1.KeyRef): Promise<KeyReply> {
    return toKey(await this.keys.get(currentTenant(), id));
  }

  @GrpcMethod('KeyService', 'ListKeys')
  async list({ limit, cursor, owner }: knowledgeV1.ListKeysRequest): Promise<ListReply> {
    const size = Math.min(limit > 0 ? limit : DEFAULT_PAGE, MAX_PAGE);
    const position = decodeCursor(cursor);
    const rows = await this.keys.list(currentTenant(), { owner: owner || undefined, limit: size + 1, position });
    const page = rows.slice(0, size);
    const last = page.at(-1);
    const hasMore = rows.length > size && last !== undefined;
    const nextCursor = hasMore ? encodeCursor({ createdMicros: last.created_micros, id: last.id }) : '';
    return { keys: page.map(toKey), nextCursor };
  }

  @GrpcMethod('KeyService', 'RevokeKey')
  async revoke({ id }: knowledgeV1.KeyRef): Promise<MessageInitShape<typeof knowledgeV1.RevokeKeyResponseSchema>> {
    return { keyIds: await this.keys.revoke(currentTenant(), id) };
  }

  /** An owner nobody has heard of has no keys, and is removed as any other: his name may be one of the identity provider's. */
  @GrpcMethod('KeyService', 'RemoveOwner')
  async removeOwner({ owner }: knowledgeV1.OwnerRef): Promise<RemoveOwnerReply> {
    return { keyIds: await this.owners.remove(currentTenant(), owner, currentContext()?.subject ?? '') };
  }

  @GrpcMethod('KeyService', 'CheckOwner')
  async checkOwner({ owner }: knowledgeV1.OwnerRef): Promise<CheckOwnerReply> {
    return { removed: await this.owners.isRemoved(currentTenant(), owner) };
  }

  /** Answers alike for every key that does not hold, whether it exists or not. */
  @GrpcMethod('KeyService', 'VerifyKey')
  async verify({ id, secretSha256 }: knowledgeV1.VerifyKeyRequest): Promise<VerifyReply> {
    const holder = await this.keys.verify(id, secretSha256);
    if (!holder) return { valid: false };
    return { valid: true, tenant: holder.tenant, roles: [...holder.roles], ...instant('expiresAt', holder.expires_at) };
  }
}

function toKey({ id, name, roles, owner, created_by: createdBy, ...row }: ApiKeyRow): KeyReply {
  return {
    id,
    name,
    roles: [...roles],
    owner,
    createdBy,
    createdAt: timestampFromDate(row.created_at),
    ...instant('expiresAt', row.expires_at),
    ...instant('lastUsedAt', row.last_used_at),
    ...instant('revokedAt', row.revoked_at),
  };
}

/** Absent in the message when it is null in the row. */
const instant = <Name extends string>(name: Name, date: Date | null) =>
  (date ? { [name]: timestampFromDate(date) } : {}) as Partial<Record<Name, ReturnType<typeof timestampFromDate>>>;
