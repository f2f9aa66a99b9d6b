import { timingSafeEqual } from 'node:crypto';
import type { AuthConfig } from './auth.config.js';
import { parseKey, type Credential } from './credential.js';
import type { Principal } from './principal.js';
import { roles } from './roles.js';

type Key = Extract<Credential, { kind: 'key' }>;

/** The key from the configuration: it makes the first keys, and works while no other can be looked up. */
export class BootstrapKey {
  private constructor(
    private readonly key: Key,
    private readonly principal: Principal,
  ) {}

  /** @returns undefined where none is set. */
  static from(config: AuthConfig): BootstrapKey | undefined {
    const text = config.RAGMESH_BOOTSTRAP_KEY;
    const key = text === undefined ? undefined : parseKey(text);
    if (!key) return undefined;
    const subject = `key:${key.id}`;
    return new BootstrapKey(key, { tenant: config.RAGMESH_BOOTSTRAP_TENANT, subject, roles });
  }

  /** In a time that does not depend on the secret. */
  verify({ id, secretSha256 }: Key): Principal | undefined {
    return timingSafeEqual(secretSha256, this.key.secretSha256) && id === this.key.id ? this.principal : undefined;
  }
}
