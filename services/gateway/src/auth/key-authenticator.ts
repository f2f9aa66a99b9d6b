import { timestampDate } from '@bufbuild/protobuf/wkt';
import type { knowledgeV1 } from '@ragmesh/contracts';
import type { GrpcClient } from '@ragmesh/grpc';
import type { Credential } from './credential.js';
import type { Principal } from './principal.js';
import { rolesAmong } from './roles.js';
import { ShortMemory } from './short-memory.js';

type Key = Extract<Credential, { kind: 'key' }>;

/** Who asks for keys: the part of the knowledge service that holds them. */
export type KeyDirectory = Pick<GrpcClient<typeof knowledgeV1.KeyService>, 'verifyKey'>;

const VERIFY_WITHIN_MS = 5_000;

interface Holder {
  /** In milliseconds since 1970. */
  readonly expiresAt: number;
  readonly principal: Principal;
}

/**
 * Checks API keys with the service that holds them, and remembers for a short time who held one. Keys that do not hold are not
 * remembered: nobody can fill the memory with guesses.
 */
export class KeyAuthenticator {
  readonly #memory: ShortMemory<Holder>;

  constructor(
    private readonly directory: KeyDirectory,
    cacheMs: number,
  ) {
    this.#memory = new ShortMemory(cacheMs);
  }

  /** As {@link verify}, for keys that held lately; any other is not looked up and gives undefined. */
  async verifyKnown(key: Key): Promise<Principal | undefined> {
    return this.#memory.last(nameOf(key)) && this.verify(key);
  }

  /**
   * Whom the key stands for; undefined when it does not hold.
   * @throws RagmeshError DEPENDENCY.UNAVAILABLE when that cannot be found out: nobody gets in on old knowledge.
   */
  async verify(key: Key): Promise<Principal | undefined> {
    const name = nameOf(key);
    const last = this.#memory.last(name);
    if (last && last.expiresAt <= Date.now()) return undefined;
    return (await this.#memory.answer(name, () => this.#lookUp(key)))?.principal;
  }

  /** Has a key looked up again, because it was revoked here. */
  forget(id: string): void {
    this.#memory.forget((name) => name.startsWith(`${id} `));
  }

  async #lookUp({ id, secretSha256 }: Key): Promise<Holder | undefined> {
    const found = await this.directory.verifyKey({ id, secretSha256 }, { deadlineMs: VERIFY_WITHIN_MS });
    if (!found.valid) return undefined;
    const expiresAt = found.expiresAt ? timestampDate(found.expiresAt).getTime() : Infinity;
    return { expiresAt, principal: { tenant: found.tenant, subject: `key:${id}`, roles: rolesAmong(found.roles) } };
  }
}

const nameOf = ({ id, secretSha256 }: Key): string => `${id} ${secretSha256.toString('base64')}`;
