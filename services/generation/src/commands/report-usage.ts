import { Injectable } from '@nestjs/common';
import { RagmeshError } from '@ragmesh/errors';
import { UsageLedger } from '../adapters/usage-ledger.js';
import { UsageRepository, type UsageDimension, type UsageEntry } from '../adapters/usage.repository.js';

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 30;
const dimensions: readonly string[] = ['tenant', 'model', 'day'] satisfies UsageDimension[];

export interface UsageRequest {
  readonly since: Date | undefined;
  readonly until: Date | undefined;
  readonly groupBy: readonly string[];
  /** Undefined for every tenant. */
  readonly tenant: string | undefined;
}

/**
 * Adds up what language models were used for, in whole days (UTC): every day that has a moment from `since` on and before
 * `until`; the last 30 when no time is named.
 */
@Injectable()
export class ReportUsage {
  constructor(
    private readonly ledger: UsageLedger,
    private readonly usage: UsageRepository,
  ) {}

  /** @throws RagmeshError REQUEST.INVALID naming `group_by` or `since`. */
  async run({ since, until = new Date(), groupBy, tenant }: UsageRequest): Promise<UsageEntry[]> {
    const from = since ?? new Date(until.getTime() - DEFAULT_DAYS * DAY_MS);
    if (from > until) throw invalid('since', 'The field since must not lie after until.');
    const unknown = groupBy.find((name) => !dimensions.includes(name));
    if (unknown !== undefined) throw invalid('group_by', 'The field group_by may hold tenant, model and day.');
    await this.ledger.flush();
    const names = [...new Set(groupBy)] as UsageDimension[];
    const last = new Date(until.getTime() - 1); // `until` itself is not included
    return this.usage.report({ tenant, since: dayOf(from), until: dayOf(last), groupBy: names });
  }
}

const dayOf = (time: Date): string => time.toISOString().slice(0, 10);
const invalid = (field: string, message: string): RagmeshError =>
  new RagmeshError('REQUEST.INVALID', message, { field });
