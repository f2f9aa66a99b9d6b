import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { isRagmeshError, type RagmeshError } from '@ragmesh/errors';
import { counter } from '@ragmesh/observability';
import { decodedBody } from './decoded-body.js';
import type { EgressConfig } from './egress.config.js';
import {
  cancelled,
  networkError,
  statusError,
  timedOut,
  tooManyRedirects,
  wrongRedirect,
  wrongScheme,
} from './egress-errors.js';
import { EgressPolicy, type Resolve } from './egress-policy.js';
import { nameResolution } from './name-resolution.js';
import { pinnedGet } from './pinned-request.js';

const MAX_REDIRECTS = 5;
const redirects = new Set([301, 302, 303, 307, 308]);
const contents = new Set([200, 203]);

export interface FetchLimits {
  /** Most bytes, as they arrive and as they inflate. */
  readonly maxBytes: number;
  /** Ends the fetch and its body. */
  readonly signal: AbortSignal;
}

/** The answer of a server whose head has been read. */
export interface Fetched {
  /** Where the content came from, after all redirects. */
  readonly url: URL;
  /** As the server sent it; empty without one. */
  readonly contentDisposition: string;
  readonly contentType: string;
  /** Inflated. Read it, or end the fetch by its signal. Fails with a RagmeshError. */
  readonly body: Readable;
}

/** The one way out to an address that somebody else named. */
export class EgressClient {
  readonly #policy: EgressPolicy;

  constructor(
    private readonly config: EgressConfig,
    resolve: Resolve = nameResolution(config),
  ) {
    this.#policy = new EgressPolicy(config, resolve);
  }

  /**
   * Fetches by GET, without cookies, credentials or anything else of the caller. Each redirect is checked like the first URL.
   * @throws RagmeshError EGRESS.* with a sentence for the one who gave the URL, or REQUEST.CANCELLED.
   */
  async get(url: string, { maxBytes, signal: caller }: FetchLimits): Promise<Fetched> {
    const { EGRESS_TIMEOUT_SECONDS: seconds } = this.config;
    const late = AbortSignal.timeout(seconds * 1000);
    const signal = AbortSignal.any([caller, late]);
    const explain = (error: unknown): RagmeshError => {
      if (isRagmeshError(error)) return error;
      if (caller.aborted) return cancelled();
      return late.aborted ? timedOut(seconds) : networkError(error);
    };
    try {
      const fetched = await this.#follow(parsed(url), signal, (response) => decodedBody(response, maxBytes, explain));
      counter('ragmesh_egress_requests_total').inc({ outcome: 'answered' });
      return fetched;
    } catch (error) {
      const failure = explain(error);
      counter('ragmesh_egress_requests_total').inc({ outcome: failure.code });
      throw failure;
    }
  }

  async #follow(start: URL, signal: AbortSignal, read: (response: IncomingMessage) => Readable): Promise<Fetched> {
    let url = start;
    for (let hops = 0; hops <= MAX_REDIRECTS; hops += 1) {
      const response = await this.#ask(url, signal, hops > 0);
      try {
        const target = redirectOf(response, url);
        if (!target) return { url, ...fetchedFrom(response), body: read(response) };
        response.destroy();
        url = target;
      } catch (error) {
        response.destroy();
        throw error;
      }
    }
    throw tooManyRedirects(MAX_REDIRECTS);
  }

  async #ask(url: URL, signal: AbortSignal, isRedirect: boolean): Promise<IncomingMessage> {
    const addresses = await untilAborted(this.#policy.addressesFor(url, signal), signal).catch((error: unknown) => {
      throw isRedirect && isRagmeshError(error) ? wrongRedirect() : error;
    });
    const { EGRESS_FIRST_BYTE_SECONDS: firstByteSeconds } = this.config;
    return pinnedGet({ url, addresses, signal, firstByteSeconds });
  }
}

function parsed(url: string): URL {
  if (!URL.canParse(url)) throw wrongScheme();
  return new URL(url);
}

const fetchedFrom = ({ headers }: IncomingMessage): Pick<Fetched, 'contentDisposition' | 'contentType'> => ({
  contentDisposition: headers['content-disposition'] ?? '',
  contentType: headers['content-type'] ?? '',
});

/** Where an answer points to; undefined for one that holds content. */
function redirectOf({ statusCode = 0, headers }: IncomingMessage, from: URL): URL | undefined {
  if (contents.has(statusCode)) return undefined;
  if (!redirects.has(statusCode) || headers.location === undefined) throw statusError(statusCode);
  if (!URL.canParse(headers.location, from.href)) throw wrongRedirect();
  const target = new URL(headers.location, from.href);
  if (from.protocol === 'https:' && target.protocol !== 'https:') throw wrongRedirect(); // anyone on the way could change it
  return target;
}

/** The system's lookup of a name that is listed cannot be broken off, only no longer waited for. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(signal.reason as Error);
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}
