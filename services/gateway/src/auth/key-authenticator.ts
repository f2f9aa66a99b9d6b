import { timestampDate } from '@bufbuild/protobuf/wkt';
import type { knowledgeV1 } from '@ragmesh/contracts';
import type { GrpcClient } from '@ragmesh/grpc';
import type { Credential } from './credential.js';
import type { Principal } from './principal.js';
import { rolesAmong } from './roles.js';

type Key = Extract<Credential, { kind: 'key' }>;

/** Who asks for keys: the part of the knowledge service that holds them. */
export type KeyDirectory = Pick<GrpcClient<typeof knowledgeV1.KeyService>, 'verifyKey'>;

const VERIFY_WITHIN_MS = 5_000;
const MAX_CACHED = 10_000;

interface Known {
  readonly id: string;
  /** In milliseconds of a clock that only goes forward: a key must not live longer because the time was set back. */
  readonly checkedAt: number;
  /** In milliseconds since 1970. */
  readonly expiresAt: number;
  readonly principal: Principal;
}

/**
 * Checks API keys with the service that holds them, and remembers for a short time who held one. Keys that do not hold are not
 * remembered: nobody can fill the memory with guesses.
 */
export class KeyAuthenticator {
  readonly #known = new Map<string, Known>();
  #revocations = 0;
  readonly #running = new Map<string, Promise<Principal | undefined>>();

  constructor(
    private readonly directory: KeyDirectory,
    private readonly cacheMs: number,
  ) {}

  /** As {@link verify}, for keys that held lately; any other is not looked up and gives undefined. */
  async verifyKnown(key: Key): Promise<Principal | undefined> {
    return this.#known.has(nameOf(key)) ? this.verify(key) : undefined;
  }

  /**
   * Whom the key stands for; undefined when it does not hold.
   * @throws RagmeshError DEPENDENCY.UNAVAILABLE when that cannot be found out: nobody gets in on old knowledge.
   */
  async verify(key: Key): Promise<Principal | undefined> {
    const name = nameOf(key);
    const known = this.#known.get(name);
    if (known && known.expiresAt <= Date.now()) return undefined;
    if (known && performance.now() - known.checkedAt < this.cacheMs) return known.principal;
    const running = this.#running.get(name) ?? this.#lookUp(name, key).finally(() => this.#running.delete(name));
    this.#running.set(name, running);
    return running;
  }

  /** Has a key looked up again, because it was revoked here. */
  forget(id: string): void {
    this.#revocations += 1;
    for (const [name, known] of this.#known) if (known.id === id) this.#known.delete(name);
    for (const name of this.#running.keys()) if (name.startsWith(`${id} `)) this.#running.delete(name);
  }

  async #lookUp(name: string, { id, secretSha256 }: Key): Promise<Principal | undefined> {
    const checkedAt = performance.now();
    const revocations = this.#revocations;
    const found = await this.directory.verifyKey({ id, secretSha256 }, { deadlineMs: VERIFY_WITHIN_MS });
    this.#known.delete(name);
    if (!found.valid) return undefined;
    const expiresAt = found.expiresAt ? timestampDate(found.expiresAt).getTime() : Infinity;
    const principal: Principal = { tenant: found.tenant, subject: `key:${id}`, roles: rolesAmong(found.roles) };
    if (revocations !== this.#revocations) return principal; // asked before, answered after: perhaps no longer true
    this.#known.set(name, { id, checkedAt, expiresAt, principal });
    if (this.#known.size > MAX_CACHED) this.#known.delete(this.#known.keys().next().value!);
    return principal;
  }
}

const nameOf = ({ id, secretSha256 }: Key): string => `${id} ${secretSha256.toString('base64')}`;
