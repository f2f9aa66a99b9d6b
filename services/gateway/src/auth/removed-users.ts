import type { knowledgeV1 } from '@ragmesh/contracts';
import type { GrpcClient } from '@ragmesh/grpc';
import { currentContext, inContext } from '@ragmesh/observability';
import type { Principal } from './principal.js';
import { ShortMemory } from './short-memory.js';

/** Who knows who was removed: the part of the knowledge service that holds keys and their owners. */
export type UserDirectory = Pick<GrpcClient<typeof knowledgeV1.KeyService>, 'checkOwner'>;

const CHECK_WITHIN_MS = 5_000;

/**
 * Whom an administrator removed: his identity provider goes on to sign tokens for him, until it hears of it. Remembers for a short
 * time what it was told; only of those whose tokens hold, so nobody can fill the memory with made-up names.
 */
export class RemovedUsers {
  readonly #memory: ShortMemory<boolean>;

  constructor(
    private readonly directory: UserDirectory,
    cacheMs: number,
  ) {
    this.#memory = new ShortMemory(cacheMs);
  }

  /** @throws RagmeshError DEPENDENCY.UNAVAILABLE when that cannot be found out: nobody gets in on old knowledge. */
  async has({ tenant, subject }: Principal): Promise<boolean> {
    const ask = async (): Promise<boolean> =>
      (await this.directory.checkOwner({ owner: subject }, { deadlineMs: CHECK_WITHIN_MS })).removed;
    // The request is nobody's yet; whoever is asked about is known in his own tenant only.
    const asHimself = () => inContext({ ...currentContext()!, tenant, subject }, ask);
    return (await this.#memory.answer(nameOf(tenant, subject), asHimself))!;
  }

  /** Has somebody asked for again, because he was removed or let in again here. */
  forget(tenant: string, subject: string): void {
    this.#memory.forget((name) => name === nameOf(tenant, subject));
  }
}

const nameOf = (tenant: string, subject: string): string => `${tenant} ${subject}`;
