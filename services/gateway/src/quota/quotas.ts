import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { CONFIG, LOGGER } from '@ragmesh/bootstrap';
import { RateCounters, redisAddress } from '@ragmesh/cache';
import { RagmeshError } from '@ragmesh/errors';
import { ANONYMOUS, counter, gauge, type Logger, type RequestContext } from '@ragmesh/observability';
import { defaultLimits, effectiveLimits, windowSeconds, type Limits, type Scope, type Unit } from './limits.js';
import { OverrideCache } from './override-cache.js';
import type { QuotaConfig } from './quota.config.js';
import { QuotaRepository, WHOLE_TENANT } from './quota.repository.js';
import { TokenLedger } from './token-ledger.js';
import { TokenUseRepository } from './token-use.repository.js';
import { isExceeded, isUsedUp, secondsToReset, type QuotaState } from './quota-state.js';

/** Whose quotas are meant. */
export type Caller = Pick<RequestContext, 'tenant' | 'subject'>;

const names: Readonly<Record<Scope, string>> = { tenant: 'tenant', key: 'credential' };
const units: Readonly<Record<Unit, string>> = { requests: 'requests a minute', tokens: 'tokens a day' };

/** Counts what tenants and their callers use, and says when it is enough. */
@Injectable()
export class Quotas implements OnModuleInit, OnApplicationShutdown {
  readonly #overrides: OverrideCache;
  #counters!: RateCounters;
  /** None where Redis keeps what is charged. */
  #ledger: TokenLedger | undefined;

  constructor(
    private readonly repository: QuotaRepository,
    private readonly tokenUse: TokenUseRepository,
    @Inject(CONFIG) private readonly config: QuotaConfig,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.#overrides = new OverrideCache(async (tenant) => {
      const rows = await this.repository.ofTenant(tenant);
      return new Map(rows.map((row) => [row.subject, row]));
    });
  }

  async onModuleInit(): Promise<void> {
    const redis = redisAddress(this.config);
    gauge('ragmesh_quota_local').set(0);
    this.#counters = await RateCounters.open({
      service: 'gateway',
      namespace: 'quota',
      logger: this.logger,
      onLocal: (isLocal) => gauge('ragmesh_quota_local').set(isLocal ? 1 : 0),
      ...(redis ? { redis } : {}),
    });
    if (!redis) await this.#resumeDays();
  }

  async onApplicationShutdown(): Promise<void> {
    this.#counters?.close();
    await this.#ledger?.close();
  }

  /**
   * Counts one request. The caller's own quota comes first: what it refuses does not use up the tenant's.
   * @returns every quota that holds for the caller, and the refusal when there is one.
   */
  async admit(caller: Caller): Promise<{ readonly states: readonly QuotaState[]; readonly refusal?: RagmeshError }> {
    const limits = await this.#limits(caller);
    const states: QuotaState[] = [];
    let exceeded: QuotaState | undefined;
    for (const [scope, { requests: limit }] of limits) {
      if (limit === 0) continue;
      const key = keyOf(scope, caller);
      const count = exceeded
        ? await this.#counters.peek(key, windowSeconds.requests)
        : await this.#counters.add(key, windowSeconds.requests, 1);
      const state: QuotaState = { scope, unit: 'requests', limit, ...count };
      if (isExceeded(state)) exceeded ??= state;
      states.push(state);
    }
    states.push(...(await this.#tokenStates(caller, limits)));
    return exceeded ? { states, refusal: refuse(exceeded) } : { states };
  }

  /** @throws RagmeshError QUOTA.TOKENS_EXCEEDED when nothing is left to spend. */
  async admitTokens(caller: Caller): Promise<void> {
    const usedUp = await this.#usedUpTokens(caller);
    if (usedUp) throw refuse(usedUp);
  }

  async hasTokens(caller: Caller): Promise<boolean> {
    return (await this.#usedUpTokens(caller)) === undefined;
  }

  /** Counts what models read and wrote; also where there is no limit now, since one may be set within the day. */
  async charge(caller: Caller, tokens: number): Promise<void> {
    if (!(tokens > 0)) return;
    const scopes: readonly Scope[] = caller.subject === ANONYMOUS ? ['tenant'] : ['key', 'tenant'];
    const points = Math.ceil(tokens);
    for (const scope of scopes) await this.#counters.add(keyOf(scope, caller), windowSeconds.tokens, points);
    for (const scope of scopes) {
      const subject = scope === 'tenant' ? WHOLE_TENANT : caller.subject;
      this.#ledger?.charge({ tenant: caller.tenant, subject, tokens: points });
    }
  }

  /** What was used in the running windows. @param scope what of. */
  async used(scope: Scope, caller: Caller): Promise<Readonly<Record<Unit, number>>> {
    const key = keyOf(scope, caller);
    const [requests, tokens] = await Promise.all([
      this.#counters.peek(key, windowSeconds.requests),
      this.#counters.peek(key, windowSeconds.tokens),
    ]);
    return { requests: requests.used, tokens: tokens.used };
  }

  /** Has the overrides of a tenant read again. */
  forget(tenant: string): void {
    this.#overrides.forget(tenant);
  }

  /** Nobody gets a day's tokens anew because this process was started again. */
  async #resumeDays(): Promise<void> {
    this.#ledger = new TokenLedger(this.tokenUse, this.logger);
    for (const { tenant, subject, ...count } of await this.#ledger.open()) {
      const key = keyOf(subject === WHOLE_TENANT ? 'tenant' : 'key', { tenant, subject });
      await this.#counters.resume(key, windowSeconds.tokens, count);
    }
  }

  async #usedUpTokens(caller: Caller): Promise<QuotaState | undefined> {
    const states = await this.#tokenStates(caller, await this.#limits(caller));
    return states.find(isUsedUp);
  }

  async #limits({ tenant, subject }: Caller): Promise<readonly (readonly [Scope, Limits])[]> {
    const overrides = await this.#overrides.of(tenant);
    const defaults = defaultLimits(this.config);
    const ofTenant = ['tenant', effectiveLimits(defaults.tenant, overrides.get(WHOLE_TENANT))] as const;
    if (subject === ANONYMOUS) return [ofTenant];
    return [['key', effectiveLimits(defaults.key, overrides.get(subject))], ofTenant];
  }

  async #tokenStates(caller: Caller, limits: readonly (readonly [Scope, Limits])[]): Promise<QuotaState[]> {
    const limited = limits.filter(([, { tokens }]) => tokens > 0);
    const peek = async ([scope, { tokens: limit }]: (typeof limits)[number]): Promise<QuotaState> => {
      const count = await this.#counters.peek(keyOf(scope, caller), windowSeconds.tokens);
      return { scope, unit: 'tokens', limit, ...count };
    };
    return Promise.all(limited.map(peek));
  }
}

/** No tenant's name holds a colon, so no two callers share a key. */
const keyOf = (scope: Scope, { tenant, subject }: Caller): string =>
  scope === 'tenant' ? tenant : `${tenant}:${subject}`;

function refuse(state: QuotaState): RagmeshError {
  const { scope, unit, limit } = state;
  counter('ragmesh_quota_refusals_total').inc({ scope, unit });
  const detail = `This ${names[scope]} may use ${limit} ${units[unit]}, and has used them.`;
  return new RagmeshError(unit === 'requests' ? 'QUOTA.REQUESTS_EXCEEDED' : 'QUOTA.TOKENS_EXCEEDED', detail, {
    limit,
    retry_after: secondsToReset(state),
  });
}
