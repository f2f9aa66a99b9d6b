import type { Override } from './limits.js';

const FRESH_MS = 5_000;
const MAX_TENANTS = 10_000;

/** What is set for the callers of one tenant, and for itself under the empty name. */
export type Overrides = ReadonlyMap<string, Override>;

interface Entry {
  overrides: Overrides;
  readAt: number;
  reading: Promise<void> | undefined;
}

/**
 * Remembers overrides by tenant, so that a request need not wait for the database: what is older than five seconds is still
 * given while it is read anew. A database that is away leaves things as they are, or as the configuration says.
 */
export class OverrideCache {
  readonly #entries = new Map<string, Entry>();

  constructor(private readonly read: (tenant: string) => Promise<Overrides>) {}

  /** Waits only for what was never read. */
  async of(tenant: string): Promise<Overrides> {
    const known = this.#entries.get(tenant);
    if (known && performance.now() - known.readAt < FRESH_MS) return known.overrides;
    const entry = known ?? this.#add(tenant);
    entry.reading ??= this.#refresh(tenant, entry);
    if (!known || known.readAt === -Infinity) await entry.reading;
    return entry.overrides;
  }

  /** Has it read again, because it was changed here. */
  forget(tenant: string): void {
    this.#entries.delete(tenant);
  }

  #add(tenant: string): Entry {
    const entry: Entry = { overrides: new Map(), readAt: -Infinity, reading: undefined };
    this.#entries.set(tenant, entry);
    if (this.#entries.size > MAX_TENANTS) this.#entries.delete(this.#entries.keys().next().value!);
    return entry;
  }

  async #refresh(tenant: string, entry: Entry): Promise<void> {
    entry.overrides = await this.read(tenant).catch(() => entry.overrides);
    entry.readAt = performance.now();
    entry.reading = undefined;
  }
}
