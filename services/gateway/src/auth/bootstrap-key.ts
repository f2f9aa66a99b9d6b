import { timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { RagmeshError } from '@ragmesh/errors';
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

  /** @returns undefined where none is set. @throws RagmeshError CONFIG.INVALID for a file that holds none. */
  static from(config: AuthConfig): BootstrapKey | undefined {
    const text = config.RAGMESH_BOOTSTRAP_KEY ?? fromFile(config.RAGMESH_BOOTSTRAP_KEY_FILE);
    if (text === undefined) return undefined;
    const key = parseKey(text);
    if (!key) throw invalidFile('holds no key of the form rgm_<id>_<secret>');
    const subject = `key:${key.id}`;
    return new BootstrapKey(key, { tenant: config.RAGMESH_BOOTSTRAP_TENANT, subject, roles });
  }

  /** In a time that does not depend on the secret. */
  verify({ id, secretSha256 }: Key): Principal | undefined {
    return timingSafeEqual(secretSha256, this.key.secretSha256) && id === this.key.id ? this.principal : undefined;
  }
}

function fromFile(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw invalidFile('cannot be read', error);
  }
}

const invalidFile = (what: string, cause?: unknown): RagmeshError =>
  new RagmeshError('CONFIG.INVALID', `The file of RAGMESH_BOOTSTRAP_KEY_FILE ${what}.`, {}, { cause });
