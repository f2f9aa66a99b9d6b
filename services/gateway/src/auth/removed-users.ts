import type { knowledgeV1 } from '@ragmesh/contracts';
import type { GrpcClient } from '@ragmesh/grpc';
import { currentContext, inContext } from '@ragmesh/observability';
import type { Principal } from './principal.js';

/** Who knows who was removed: the part of the knowledge service that holds keys and their owners. */
export type UserDirectory = Pick<GrpcClient<typeof knowledgeV1.KeyService>, 'checkOwner'>;

const CHECK_WITHIN_MS = 5_000;
const MAX_CACHED = 10_000;

interface Known {
  /** In milliseconds of a clock that only goes forward. */
  readonly checkedAt: number;
  readonly isRemoved: boolean;
}

/**
 * Whom an administrator removed: his identity provider goes on to sign tokens for him, until it hears of it. Remembers for a short
 * time what it was told; only of those whose tokens hold, so nobody can fill the memory with made-up names.
 */
export class RemovedUsers {
  readonly #known = new Map<string, Known>();
  readonly #running = new Map<string, Promise<boolean>>();
  #changes = 0;

  constructor(
    private readonly directory: UserDirectory,
    private readonly cacheMs: number,
  ) {}

  /** @throws RagmeshError DEPENDENCY.UNAVAILABLE when that cannot be found out: nobody gets in on old knowledge. */
  async has(principal: Principal): Promise<boolean> {
    const name = nameOf(principal.tenant, principal.subject);
    const known = this.#known.get(name);
    if (known && performance.now() - known.checkedAt < this.cacheMs) return known.isRemoved;
    const running = this.#running.get(name) ?? this.#lookUp(name, principal).finally(() => this.#running.delete(name));
    this.#running.set(name, running);
    return running;
  }

  /** Has somebody asked for again, because he was removed or let in again here. */
  forget(tenant: string, subject: string): void {
    this.#changes += 1;
    this.#known.delete(nameOf(tenant, subject));
    this.#running.delete(nameOf(tenant, subject));
  }

  async #lookUp(name: string, { tenant, subject }: Principal): Promise<boolean> {
    const checkedAt = performance.now();
    const changes = this.#changes;
    const ask = () => this.directory.checkOwner({ owner: subject }, { deadlineMs: CHECK_WITHIN_MS });
    // The request is nobody's yet; whoever is asked about is known in his own tenant only.
    const { removed: isRemoved } = await inContext({ ...currentContext()!, tenant, subject }, ask);
    this.#known.delete(name);
    if (changes !== this.#changes) return isRemoved; // asked before, answered after: perhaps no longer true
    this.#known.set(name, { checkedAt, isRemoved });
    if (this.#known.size > MAX_CACHED) this.#known.delete(this.#known.keys().next().value!);
    return isRemoved;
  }
}

const nameOf = (tenant: string, subject: string): string => `${tenant} ${subject}`;
