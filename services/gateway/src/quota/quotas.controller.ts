import { Body, Controller, Get, Param, Put, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { Calls } from '../api/calls.js';
import { inTenant } from '../api/chosen-tenant.js';
import { idSchema } from '../api/paging.schema.js';
import { currentContext, currentTenant } from '@ragmesh/observability';
import { valid } from '../http/validation.js';
import { Describe } from '../openapi/describe.js';
import { QuotaSettings } from './quota-settings.js';
import { newQuota, quotaQuery, quotaSchema } from './quota.schema.js';

type QuotaBody = z.input<typeof quotaSchema>;
type Settings = z.output<typeof newQuota>;
type TenantQuery = z.output<typeof quotaQuery>;
const id = valid(idSchema);
const example = { requests_per_minute: 600, tokens_per_day: 2_000_000 };

/** What a tenant and its keys may use. */
@Controller('v1/admin')
export class QuotasController {
  constructor(
    private readonly settings: QuotaSettings,
    private readonly calls: Calls,
  ) {}

  @Get('quotas')
  @Describe({
    summary: 'Get the quotas of the tenant and what is used of them',
    tag: 'Administration',
    query: quotaQuery,
    answers: [{ status: 200, description: 'The quotas', schema: quotaSchema }],
    problems: ['AUTH.FORBIDDEN'],
  })
  ofTenant(
    @Query(valid(quotaQuery)) { tenant }: TenantQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<QuotaBody> {
    return inTenant(tenant, reply, () => this.settings.read(currentTenant()));
  }

  @Put('quotas')
  @Describe({
    summary: 'Set the quotas of a tenant',
    tag: 'Administration',
    query: quotaQuery,
    body: { 'application/json': newQuota },
    example,
    answers: [{ status: 200, description: 'The quotas as they are now', schema: quotaSchema }],
    problems: ['AUTH.FORBIDDEN'],
  })
  setForTenant(
    @Query(valid(quotaQuery)) { tenant }: TenantQuery,
    @Body(valid(newQuota)) body: Settings,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<QuotaBody> {
    return inTenant(tenant, reply, () => this.#set(undefined, body));
  }

  @Get('keys/:id/quota')
  @Describe({
    summary: 'Get the quotas of an API key and what is used of them',
    tag: 'Administration',
    query: quotaQuery,
    answers: [{ status: 200, description: 'The quotas', schema: quotaSchema }],
    problems: ['KEY.NOT_FOUND', 'AUTH.FORBIDDEN'],
  })
  ofKey(
    @Param('id', id) keyId: string,
    @Query(valid(quotaQuery)) { tenant }: TenantQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<QuotaBody> {
    return inTenant(tenant, reply, async () => {
      await this.calls.keys.getKey({ id: keyId }, this.calls.unary(reply));
      return this.settings.read(currentTenant(), keyId);
    });
  }

  @Put('keys/:id/quota')
  @Describe({
    summary: "Set the quotas of an API key; the tenant's hold besides",
    tag: 'Administration',
    query: quotaQuery,
    body: { 'application/json': newQuota },
    example,
    answers: [{ status: 200, description: 'The quotas as they are now', schema: quotaSchema }],
    problems: ['KEY.NOT_FOUND', 'AUTH.FORBIDDEN'],
  })
  setForKey(
    @Param('id', id) keyId: string,
    @Query(valid(quotaQuery)) { tenant }: TenantQuery,
    @Body(valid(newQuota)) body: Settings,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<QuotaBody> {
    return inTenant(tenant, reply, async () => {
      await this.calls.keys.getKey({ id: keyId }, this.calls.unary(reply));
      return this.#set(keyId, body);
    });
  }

  #set(key: string | undefined, { requests_per_minute: requests, tokens_per_day: tokens }: Settings) {
    const setBy = currentContext()?.subject ?? '';
    return this.settings.set(currentTenant(), key, { requests, tokens }, setBy);
  }
}
