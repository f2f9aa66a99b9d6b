import type { IncomingHttpHeaders } from 'node:http';
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { CONFIG, LOGGER } from '@ragmesh/bootstrap';
import { RagmeshError } from '@ragmesh/errors';
import type { Logger } from '@ragmesh/observability';
import { Calls } from '../api/calls.js';
import { takesKeys, takesTokens, type AuthConfig } from './auth.config.js';
import { BootstrapKey } from './bootstrap-key.js';
import { readCredential, type Credential } from './credential.js';
import { FailedAttempts } from './failed-attempts.js';
import { GuessedKeys } from './guessed-keys.js';
import { KeyAuthenticator } from './key-authenticator.js';
import type { Principal } from './principal.js';
import { RemovedUsers } from './removed-users.js';
import { TokenAuthenticator } from './token-authenticator.js';

/** Finds out whom a request is from, by the credentials AUTH_MODE takes. */
@Injectable()
export class Authentication implements OnModuleDestroy {
  readonly #attempts: FailedAttempts;
  readonly #guesses: GuessedKeys;
  readonly #bootstrap: BootstrapKey | undefined;
  readonly #keys: KeyAuthenticator | undefined;
  readonly #tokens: TokenAuthenticator | undefined;
  readonly #removed: RemovedUsers;
  /** Whether requests need a credential at all. */
  readonly isOn: boolean;

  constructor(
    @Inject(CONFIG) config: AuthConfig,
    @Inject(LOGGER) private readonly logger: Logger,
    calls: Calls,
  ) {
    this.isOn = config.AUTH_MODE !== 'off';
    this.#attempts = new FailedAttempts(config.AUTH_FAILED_ATTEMPTS);
    this.#guesses = new GuessedKeys(config.AUTH_FAILED_ATTEMPTS);
    this.#removed = new RemovedUsers(calls.keys, config.AUTH_KEY_CACHE_SECONDS * 1000);
    if (takesTokens(config)) this.#tokens = new TokenAuthenticator(config);
    if (!takesKeys(config)) return;
    this.#bootstrap = BootstrapKey.from(config);
    this.#keys = new KeyAuthenticator(calls.keys, config.AUTH_KEY_CACHE_SECONDS * 1000);
  }

  onModuleDestroy(): void {
    this.#tokens?.close();
  }

  /**
   * @param address the request came from.
   * @throws RagmeshError AUTH.REQUIRED without a credential; AUTH.INVALID for one that does not hold, in the same words whatever
   * is wrong with it; AUTH.TOO_MANY_ATTEMPTS when the address sent too many of those, and for a wrong secret of a key that got
   * too many, from wherever. Keys that held lately still do; DEPENDENCY.UNAVAILABLE when nobody can tell.
   */
  async authenticate(headers: IncomingHttpHeaders, address: string): Promise<Principal> {
    const credential = readCredential(headers);
    const principal =
      (credential && (await this.#verifyWithoutGuessing(credential))) ??
      (await this.#guesses.run(credential, () =>
        this.#attempts.run(address, async () => credential && this.#lookUp(credential)),
      ));
    if (principal) return principal;
    this.logger.warn({ kind: credential?.kind ?? 'unreadable' }, 'A credential was refused');
    throw new RagmeshError('AUTH.INVALID', 'The credential does not hold.', { field: 'Authorization' });
  }

  /** Has this process ask again before it takes the key a further time. */
  forgetKey(id: string): void {
    this.#keys?.forget(id);
  }

  /** As {@link forgetKey}, for the tokens of somebody who was removed or let in again. */
  forgetUser(tenant: string, subject: string): void {
    this.#removed.forget(tenant, subject);
  }

  /** What is checked here, and keys that held lately: however many did not hold from an address, those still do. */
  async #verifyWithoutGuessing(credential: Credential): Promise<Principal | undefined> {
    if (credential.kind === 'token') {
      const principal = await this.#tokens?.verify(credential.token);
      return principal && !(await this.#removed.has(principal)) ? principal : undefined;
    }
    return this.#bootstrap?.verify(credential) ?? this.#keys?.verifyKnown(credential);
  }

  async #lookUp(credential: Credential): Promise<Principal | undefined> {
    return credential.kind === 'key' ? this.#keys?.verify(credential) : undefined;
  }
}
