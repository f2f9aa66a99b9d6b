import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { Controller, Get, Query, Res } from '@nestjs/common';
import type { generationV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { hasRole, type Role } from '../auth/roles.js';
import { scopeOf } from '../http/request-scope.js';
import { valid } from '../http/validation.js';
import { Describe } from '../openapi/describe.js';
import { Calls } from './calls.js';
import { usageParameters, usageQuery, usageReport, type UsageQuery } from './usage.schema.js';

type Report = z.input<typeof usageReport>;

/** What language models were used for, and providers of embeddings for uploads, and what that cost. */
@Controller('v1/admin/usage')
export class UsageController {
  constructor(private readonly calls: Calls) {}

  @Get()
  @Describe({
    summary: 'Report requests, tokens and cost of language models and of embedding uploads',
    tag: 'Administration',
    query: usageParameters,
    answers: [{ status: 200, description: 'One row per group', schema: usageReport }],
    problems: [],
  })
  async report(
    @Query(valid(usageQuery)) { since, until, groupBy, allTenants }: UsageQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Report> {
    const role = allTenants ? 'operator' : 'admin';
    if (!hasRole(scopeOf(reply).roles, role)) throw forbidden(role);
    const request = { since: timestampFromDate(since), until: timestampFromDate(until), groupBy, allTenants };
    const { rows } = await this.calls.usage.reportUsage(request, this.calls.unary(reply));
    const body = { since: since.toISOString(), until: until.toISOString(), group_by: groupBy };
    return { data: rows.map((row) => rowBody(row, groupBy)), ...body };
  }
}

/** The route lets in whoever has one of both roles. */
const forbidden = (role: Role): RagmeshError => {
  const whose = role === 'operator' ? 'every tenant' : 'its own tenant';
  return new RagmeshError('AUTH.FORBIDDEN', `The usage of ${whose} needs the role ${role}.`, { role });
};

/** Names what it is grouped by, and nothing else. */
function rowBody(row: generationV1.UsageRow, groupBy: UsageQuery['groupBy']): Report['data'][number] {
  const prompt = Number(row.promptTokens);
  const completion = Number(row.completionTokens);
  return {
    ...Object.fromEntries(groupBy.map((name) => [name, row[name]])),
    requests: Number(row.requests),
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    cost: row.cost ?? null,
  };
}
