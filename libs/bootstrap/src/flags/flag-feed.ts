import { findFlag, type knowledgeV1 } from '@ragmesh/contracts';
import { asRagmeshError } from '@ragmesh/errors';
import { inContext, untraced, type Logger } from '@ragmesh/observability';
import { PeriodicTask } from '@ragmesh/resilience';
import { v7 as uuidv7 } from 'uuid';
import type { FlagProvider } from './flag-provider.js';

/** How old what a process knows may be: a change is everywhere within this and a call. */
const POLL_MS = 2_000;

/** Asks the owner of the flags. */
export type ReadFlags = (knownRevision: bigint) => Promise<knowledgeV1.ListFlagsResponse>;

/**
 * Keeps the flags of one service current by asking again and again. An event would reach one copy of a service only, since
 * the copies share a consumer group, and none that is just being started; asking reaches all, costs one small statement,
 * and heals by itself. While the owner is away, what was known holds; before it was ever reached, the configuration does.
 */
export class FlagFeed {
  #revision = 0n;
  readonly #rounds = new PeriodicTask(() => this.refresh(), POLL_MS);
  #reading: Promise<void> | undefined;

  constructor(
    private readonly provider: FlagProvider,
    private readonly read: ReadFlags,
    private readonly logger: Logger,
  ) {}

  /** Does not wait for the first answer: nothing must depend on another service being there first. */
  start(): void {
    this.#rounds.start(0);
  }

  async stop(): Promise<void> {
    await this.#rounds.stop();
    await this.#reading;
  }

  /** Asks once, or waits for the answer that is due to who asked before; never throws. */
  refresh(): Promise<void> {
    this.#reading ??= this.#ask().finally(() => (this.#reading = undefined));
    return this.#reading;
  }

  async #ask(): Promise<void> {
    try {
      const context = { tenant: 'default', requestId: uuidv7(), subject: 'flags' };
      const { revision, flags } = await untraced(() => inContext(context, () => this.read(this.#revision)));
      if (revision === this.#revision) return;
      this.provider.replace(new Map(flags.flatMap(usable)));
      this.#revision = revision;
    } catch (error) {
      this.logger.debug({ code: asRagmeshError(error).code }, 'Flags could not be read and will be read again');
    }
  }
}

/** A value a newer release set, which this one does not know, is as if it were not set. */
function usable({ name, value }: knowledgeV1.Flag): [string, boolean | number | string][] {
  if (value === undefined) return [];
  const known: unknown = JSON.parse(value);
  return findFlag(name)?.allows(known) ? [[name, known as boolean | number | string]] : [];
}
