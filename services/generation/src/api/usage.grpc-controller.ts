import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampDate, type Timestamp } from '@bufbuild/protobuf/wkt';
import { Controller } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import type { generationV1 } from '@ragmesh/contracts';
import { currentTenant } from '@ragmesh/observability';
import type { UsageEntry } from '../adapters/usage.repository.js';
import { ReportUsage } from '../commands/report-usage.js';

type UsageReply = MessageInitShape<typeof generationV1.ReportUsageResponseSchema>;
type UsageRow = MessageInitShape<typeof generationV1.UsageRowSchema>;

/** What language models were used for. */
@Controller()
export class UsageGrpcController {
  constructor(private readonly usage: ReportUsage) {}

  @GrpcMethod('UsageService', 'ReportUsage')
  async reportUsage(request: generationV1.ReportUsageRequest): Promise<UsageReply> {
    const { since, until, groupBy, allTenants } = request;
    const tenant = allTenants ? undefined : currentTenant();
    const rows = await this.usage.run({ since: dateOf(since), until: dateOf(until), groupBy, tenant });
    return { rows: rows.map(toRow) };
  }
}

const dateOf = (time: Timestamp | undefined): Date | undefined => time && timestampDate(time);

function toRow({ tenant, model, day, requests, promptTokens, completionTokens, cost, unpriced }: UsageEntry): UsageRow {
  return {
    tenant,
    model,
    day,
    requests: BigInt(requests),
    promptTokens: BigInt(promptTokens),
    completionTokens: BigInt(completionTokens),
    ...(unpriced === 0 ? { cost } : {}),
  };
}
