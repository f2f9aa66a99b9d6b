import { Controller, Get, Query, Res } from '@nestjs/common';
import { currentTenant } from '@ragmesh/observability';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { inTenant } from '../api/chosen-tenant.js';
import { valid } from '../http/validation.js';
import { Describe } from '../openapi/describe.js';
import type { RecordedEntry } from './audit-entry.js';
import { AuditTrail } from './audit-trail.js';
import { auditPage, auditQuery, type auditEntry } from './audit.schema.js';

type Page = z.input<typeof auditPage>;

/** The audit trail, to those who answer for a tenant. */
@Controller('v1/admin/audit')
export class AuditController {
  constructor(private readonly trail: AuditTrail) {}

  @Get()
  @Describe({
    summary: 'List who changed what and which administrator read what, newest first',
    tag: 'Administration',
    query: auditQuery,
    answers: [{ status: 200, description: 'One page', schema: auditPage }],
    problems: ['AUTH.FORBIDDEN'],
  })
  list(
    @Query(valid(auditQuery)) { tenant, limit, cursor, since, until, ...exact }: z.output<typeof auditQuery>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Page> {
    return inTenant(tenant, reply, async () => {
      const entries = await this.trail.list({
        tenant: currentTenant(),
        actor: exact.actor,
        action: exact.action,
        target: exact.target,
        since: since === undefined ? undefined : new Date(since),
        until: until === undefined ? undefined : new Date(until),
        before: cursor === '' ? undefined : cursor,
        limit: limit + 1,
      });
      const page = entries.slice(0, limit);
      const hasMore = entries.length > limit;
      return { data: page.map(entryBody), next_cursor: hasMore ? page.at(-1)!.sequence : null };
    });
  }
}

const entryBody = (entry: RecordedEntry): z.input<typeof auditEntry> => ({
  id: entry.id,
  at: entry.at.toISOString(),
  actor: entry.actor,
  actor_tenant: entry.tenant,
  tenant: entry.onTenant,
  action: entry.action,
  target: entry.target || null,
  made: [...entry.made],
  status: entry.status,
  code: entry.code,
  request_id: entry.requestId,
  trace_id: entry.traceId,
});
