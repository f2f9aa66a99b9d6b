import { Inject, Injectable } from '@nestjs/common';
import { CONFIG } from '@ragmesh/bootstrap';
import type { z } from 'zod';
import { defaultLimits, effectiveLimits, type Override, type Scope, type Unit } from './limits.js';
import type { QuotaConfig } from './quota.config.js';
import { QuotaRepository, WHOLE_TENANT } from './quota.repository.js';
import type { quotaSchema } from './quota.schema.js';
import { Quotas } from './quotas.js';

type Body = z.input<typeof quotaSchema>;

/** What is set for a tenant or a key, what follows from it, and how much is used. */
@Injectable()
export class QuotaSettings {
  constructor(
    private readonly repository: QuotaRepository,
    private readonly quotas: Quotas,
    @Inject(CONFIG) private readonly config: QuotaConfig,
  ) {}

  /** @param key id of one of the tenant's keys; without it the tenant as a whole. */
  async read(tenant: string, key?: string): Promise<Body> {
    const scope: Scope = key === undefined ? 'tenant' : 'key';
    const subject = subjectOf(key);
    const [stored, used] = await Promise.all([
      this.repository.find(tenant, subject),
      this.quotas.used(scope, { tenant, subject }),
    ]);
    const limits = effectiveLimits(defaultLimits(this.config)[scope], stored);
    const shown = (unit: Unit) => ({ set: stored?.[unit] ?? null, limit: limits[unit] || null, used: used[unit] });
    return {
      tenant,
      key: key ?? null,
      requests_per_minute: shown('requests'),
      tokens_per_day: shown('tokens'),
      set_by: stored?.setBy ?? null,
      set_at: stored?.setAt.toISOString() ?? null,
    };
  }

  /** Holds at once here, and within five seconds at other gateways. */
  async set(tenant: string, key: string | undefined, override: Override, setBy: string): Promise<Body> {
    await this.repository.set(tenant, subjectOf(key), override, setBy);
    this.quotas.forget(tenant);
    return this.read(tenant, key);
  }
}

const subjectOf = (key: string | undefined): string => (key === undefined ? WHOLE_TENANT : `key:${key}`);
