import { Controller, Delete, Param, Query, Res } from '@nestjs/common';
import { currentTenant } from '@ragmesh/observability';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { Authentication } from '../auth/authentication.js';
import { valid } from '../http/validation.js';
import { Describe } from '../openapi/describe.js';
import { Calls } from './calls.js';
import { inTenant } from './chosen-tenant.js';
import { keyQuery, ownerSchema, removedUser } from './keys.schema.js';
import { encodeOwner } from './principal-name.js';

/** Owners of API keys, and whom tokens name. Who they are, an identity provider knows. */
@Controller('v1/admin/users')
export class UsersController {
  constructor(
    private readonly calls: Calls,
    private readonly authentication: Authentication,
  ) {}

  @Delete(':id')
  @Describe({
    summary:
      'Remove a user: revokes every API key he owns, refuses his tokens, and lets him make no more keys for himself',
    tag: 'Administration',
    path: z.object({ id: ownerSchema }),
    query: keyQuery,
    answers: [{ status: 200, description: 'He is removed, also where he had no key', schema: removedUser }],
    problems: ['AUTH.FORBIDDEN'],
  })
  async remove(
    @Param('id', valid(ownerSchema)) id: string,
    @Query(valid(keyQuery)) { tenant }: z.output<typeof keyQuery>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.input<typeof removedUser>> {
    return inTenant(tenant, reply, async () => {
      const owner = encodeOwner(id);
      const { keyIds } = await this.calls.keys.removeOwner({ owner }, this.calls.write());
      this.authentication.forgetUser(currentTenant(), owner);
      for (const id of keyIds) this.authentication.forgetKey(id);
      return { id, tenant: currentTenant(), revoked_keys: keyIds };
    });
  }
}
