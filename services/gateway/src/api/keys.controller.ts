import { timestampDate, timestampFromDate, type Timestamp } from '@bufbuild/protobuf/wkt';
import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import type { knowledgeV1 } from '@ragmesh/contracts';
import { currentTenant } from '@ragmesh/observability';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { Authentication } from '../auth/authentication.js';
import { hasRole, rolesAmong } from '../auth/roles.js';
import { scopeOf } from '../http/request-scope.js';
import { valid } from '../http/validation.js';
import { Describe } from '../openapi/describe.js';
import { Calls } from './calls.js';
import { forbidden, inTenant } from './chosen-tenant.js';
import { keyPage, keyQuery, keySchema, keysQuery, madeKey, newKey } from './keys.schema.js';
import { idSchema, nextCursor } from './paging.schema.js';
import { decodeOwner, encodeOwner } from './principal-name.js';

type KeyBody = z.input<typeof keySchema>;
const id = valid(idSchema);

/** API keys, which knowledge owns. */
@Controller('v1/admin/keys')
export class KeysController {
  constructor(
    private readonly calls: Calls,
    private readonly authentication: Authentication,
  ) {}

  @Post()
  @Describe({
    summary: 'Make an API key; it is shown this once',
    tag: 'Administration',
    body: { 'application/json': newKey },
    example: { name: 'intranet search', roles: ['reader'], expires_at: '2030-01-31T00:00:00Z' },
    answers: [{ status: 201, description: 'The key', schema: madeKey }],
    problems: ['AUTH.FORBIDDEN', 'USER.REMOVED'],
  })
  async create(
    @Body(valid(newKey)) { name, roles, tenant, owner = '', expires_at }: z.output<typeof newKey>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.input<typeof madeKey>> {
    const { context: maker, roles: held } = scopeOf(reply);
    const missing = roles.find((role) => !hasRole(held, role));
    if (missing) throw forbidden(`Only who has the role ${missing} can give it.`, missing);
    return inTenant(tenant, reply, async () => {
      const expiry = expires_at ? { expiresAt: timestampFromDate(new Date(expires_at)) } : {};
      const request = { name, roles, owner: encodeOwner(owner), makerTenant: maker.tenant, ...expiry };
      const { key, secret } = await this.calls.keys.createKey(request, this.calls.write());
      this.authentication.forgetUser(currentTenant(), key!.owner); // he may have been let in again by it
      return { ...keyBody(key!), key: secret };
    });
  }

  @Get()
  @Describe({
    summary: 'List API keys, revoked ones, too',
    tag: 'Administration',
    query: keysQuery,
    answers: [{ status: 200, description: 'One page', schema: keyPage }],
    problems: ['AUTH.FORBIDDEN'],
  })
  async list(
    @Query(valid(keysQuery)) { tenant, owner = '', ...page }: z.output<typeof keysQuery>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.input<typeof keyPage>> {
    return inTenant(tenant, reply, async () => {
      const found = await this.calls.keys.listKeys({ ...page, owner: encodeOwner(owner) }, this.calls.unary(reply));
      return { data: found.keys.map(keyBody), next_cursor: nextCursor(found.nextCursor) };
    });
  }

  @Get(':id')
  @Describe({
    summary: 'Get an API key, without its secret',
    tag: 'Administration',
    query: keyQuery,
    answers: [{ status: 200, description: 'The key', schema: keySchema }],
    problems: ['KEY.NOT_FOUND', 'AUTH.FORBIDDEN'],
  })
  async get(
    @Param('id', id) keyId: string,
    @Query(valid(keyQuery)) { tenant }: z.output<typeof keyQuery>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<KeyBody> {
    return inTenant(tenant, reply, async () =>
      keyBody(await this.calls.keys.getKey({ id: keyId }, this.calls.unary(reply))),
    );
  }

  @Delete(':id')
  @HttpCode(204)
  @Describe({
    summary: 'Revoke an API key and those made with it; every server refuses them within AUTH_KEY_CACHE_SECONDS',
    tag: 'Administration',
    query: keyQuery,
    answers: [{ status: 204, description: 'It is revoked' }],
    problems: ['KEY.NOT_FOUND', 'AUTH.FORBIDDEN'],
  })
  async revoke(
    @Param('id', id) keyId: string,
    @Query(valid(keyQuery)) { tenant }: z.output<typeof keyQuery>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const { keyIds } = await inTenant(tenant, reply, () =>
      this.calls.keys.revokeKey({ id: keyId }, this.calls.write()),
    );
    for (const revoked of [keyId, ...keyIds]) this.authentication.forgetKey(revoked);
  }
}

const instant = (time: Timestamp | undefined): string | null => (time ? timestampDate(time).toISOString() : null);

const keyBody = (key: knowledgeV1.Key): KeyBody => ({
  id: key.id,
  tenant: currentTenant(),
  name: key.name,
  roles: rolesAmong(key.roles),
  owner: decodeOwner(key.owner || key.createdBy),
  created_by: decodeOwner(key.createdBy),
  created_at: instant(key.createdAt) ?? '',
  expires_at: instant(key.expiresAt),
  last_used_at: instant(key.lastUsedAt),
  revoked_at: instant(key.revokedAt),
});
