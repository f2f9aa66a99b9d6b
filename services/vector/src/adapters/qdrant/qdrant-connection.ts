import type { TlsMaterial } from '@ragmesh/config';
import { RagmeshError, isRagmeshError } from '@ragmesh/errors';
import {
  circuitBreaker,
  retryAfterSeconds,
  retryWithJitter,
  RetryBudget,
  type CircuitBreaker,
} from '@ragmesh/resilience';
import { QdrantClient } from '@qdrant/js-client-rest';
import type { Agent } from 'undici';
import { KEPT_RETRY_AFTER, useDispatcher } from './qdrant-dispatcher.js';

export interface QdrantConnectionOptions {
  readonly url: string;
  readonly apiKey: string | undefined;
  /** Longest time of one call. */
  readonly timeoutMs: number;
  /** Authorities that an https server is trusted by, and what is shown to it where it asks. */
  readonly tls?: TlsMaterial | undefined;
}

/** What the client throws, as far as it can be told apart. */
interface ClientFailure {
  readonly name?: string;
  readonly status?: number;
  readonly headers?: Headers;
  readonly data?: { readonly status?: { readonly error?: string } };
}

const HTTP = 80;
const HTTPS = 443;

/** Calls to one Qdrant: bounded in time, through one breaker, with one meaning of failure. */
export class QdrantConnection {
  private readonly client: QdrantClient;
  private readonly dispatcher: Agent;
  private readonly breaker: CircuitBreaker;
  private readonly retries = new RetryBudget();

  constructor({ url, apiKey, timeoutMs, tls }: QdrantConnectionOptions) {
    const { protocol, port } = new URL(url);
    // Without a port the client takes 6333, also behind an https address.
    const explicitPort = port === '' ? (protocol === 'https:' ? HTTPS : HTTP) : Number(port);
    this.client = new QdrantClient({
      ...{ url, port: explicitPort, timeout: timeoutMs, checkCompatibility: false },
      ...(apiKey === undefined ? {} : { apiKey }),
    });
    this.dispatcher = useDispatcher(this.client, tls);
    this.breaker = circuitBreaker('qdrant', { service: 'vector', timeoutMs });
  }

  /** A question: asked a second time when the first got no answer. */
  read<T>(call: (client: QdrantClient) => Promise<T>): Promise<T> {
    return retryWithJitter(() => this.write(call), { attempts: 2, budget: this.retries });
  }

  /**
   * A change, asked once: the bus brings its event again, and two layers that retry would multiply.
   * @throws RagmeshError `VECTOR.DIMENSION_MISMATCH`; `COLLECTION.NOT_FOUND`; else `VECTOR.UNAVAILABLE`.
   */
  async write<T>(call: (client: QdrantClient) => Promise<T>): Promise<T> {
    try {
      return await this.breaker.run(async () => {
        try {
          return await call(this.client);
        } catch (error) {
          throw meaningOf(error as ClientFailure);
        }
      });
    } catch (error) {
      throw asUnavailable(error);
    }
  }

  close(): void {
    this.breaker.shutdown();
    void this.dispatcher.close();
  }
}

/** The server's words may repeat what was sent, so only its status goes on. */
function meaningOf(failure: ClientFailure): RagmeshError {
  const { status } = failure;
  const words = failure.data?.status?.error ?? '';
  const dimensions = /expected dim: (\d+), got (\d+)/.exec(words);
  if (dimensions) {
    const [, expected = 0, actual = 0] = dimensions.map(Number);
    const message = `The index holds vectors of ${expected} numbers, this one has ${actual}.`;
    return new RagmeshError('VECTOR.DIMENSION_MISMATCH', message, { expected, actual });
  }
  if (status === 404) return new RagmeshError('COLLECTION.NOT_FOUND', 'Qdrant has no such collection.');
  if (status === 401 || status === 403) {
    return unavailable('Qdrant refuses the credentials: check QDRANT_API_KEY.', { status });
  }
  if (status !== undefined) return refusalWith(status, failure.headers?.get(KEPT_RETRY_AFTER) ?? null);
  return unavailable('Qdrant gave no answer: check QDRANT_URL.', { reason: failure.name ?? 'unknown' });
}

function refusalWith(status: number, advice: string | null): RagmeshError {
  const retryAfter = retryAfterSeconds(advice, Date.now());
  if (status === 429) return unavailable('Qdrant asks to slow down.', { retryAfter: retryAfter || 1 });
  const message = `Qdrant answered with status ${status}.`;
  return unavailable(message, { status, ...(retryAfter ? { retryAfter } : {}) });
}

const unavailable = (message: string, details: Record<string, string | number>): RagmeshError =>
  new RagmeshError('VECTOR.UNAVAILABLE', message, { dependency: 'qdrant', ...details });

/** The breaker's own refusals, in the words of this service. */
function asUnavailable(error: unknown): unknown {
  if (!isRagmeshError(error) || !['DEPENDENCY.UNAVAILABLE', 'REQUEST.TIMEOUT'].includes(error.code)) return error;
  return new RagmeshError('VECTOR.UNAVAILABLE', error.message, { ...error.details, dependency: 'qdrant' });
}
