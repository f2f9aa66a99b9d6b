import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { RagmeshError } from '@ragmesh/errors';
import { IdempotencyStore, type IdempotencyKey, type StoredResponse } from './idempotency-store.js';

const LEASE_SECONDS = 30;
const RENEW_MS = 10_000;
/** Longer than the lease, so that one who waits for a process that died takes its work over. */
const WAIT_MS = 40_000;
const POLL_MS = 40;

/** A request that may come more than once. */
export interface Repeatable {
  /** Does the work. @param seed a UUID that all who work on this key are given, one after another. */
  execute(seed: string): Promise<StoredResponse>;
  /** What tells this request from another with the same key; does no work. */
  fingerprint(): Promise<Buffer>;
  readonly clientLeft: AbortSignal;
}

/** Answers the same request under the same key once, and every further time with the same response. */
@Injectable()
export class IdempotentRequests {
  constructor(private readonly store: IdempotencyStore) {}

  /** @throws RagmeshError IDEMPOTENCY.KEY_REUSED, IDEMPOTENCY.IN_PROGRESS, or what `execute` throws; a failure frees the key. */
  async run(key: IdempotencyKey, request: Repeatable): Promise<StoredResponse> {
    const owner = randomUUID();
    const giveUpAt = performance.now() + WAIT_MS;
    while (performance.now() < giveUpAt && !request.clientLeft.aborted) {
      const claim = await this.store.claim(key, owner, LEASE_SECONDS);
      if (claim.state === 'won') return this.work(key, owner, () => request.execute(claim.seed));
      if (claim.state === 'done') return replay(claim, await request.fingerprint());
      await sleep(POLL_MS, undefined, { signal: request.clientLeft }).catch(() => undefined);
    }
    throw new RagmeshError('IDEMPOTENCY.IN_PROGRESS', 'A request with this Idempotency-Key is still being worked on.', {
      field: 'Idempotency-Key',
      retry_after: 5,
    });
  }

  private async work(
    key: IdempotencyKey,
    owner: string,
    execute: () => Promise<StoredResponse>,
  ): Promise<StoredResponse> {
    // A lease that is not renewed in time is taken over; the response is then refused when it is stored.
    const renewal = setInterval(
      () => void this.store.renew(key, owner, LEASE_SECONDS).catch(() => undefined),
      RENEW_MS,
    );
    try {
      const response = await execute();
      await this.store.complete(key, owner, response);
      return response;
    } catch (error) {
      await this.store.release(key, owner).catch(() => undefined); // the lease ends by itself
      throw error;
    } finally {
      clearInterval(renewal);
    }
  }
}

function replay(stored: StoredResponse, fingerprint: Buffer): StoredResponse {
  if (fingerprint.equals(stored.fingerprint)) return stored;
  throw new RagmeshError('IDEMPOTENCY.KEY_REUSED', 'This Idempotency-Key belongs to a request with other content.', {
    field: 'Idempotency-Key',
  });
}
