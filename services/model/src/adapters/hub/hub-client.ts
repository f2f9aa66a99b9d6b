import type { OnModuleDestroy } from '@nestjs/common';
import { RagmeshError, isRagmeshError } from '@ragmesh/errors';
import { circuitBreaker } from '@ragmesh/resilience';
import type { AllowedHosts } from '../../domain/allowed-hosts.js';
import { hubPause, hubRefusal, hubTrouble, isHubIll, type HubRequest } from './hub-failure.js';

export interface HubClientOptions {
  readonly endpoint: string;
  readonly token?: string;
  readonly allowedHosts: AllowedHosts;
  /** Longest wait for the next byte. */
  readonly silenceMs: number;
}

/** A file of a repository as the hub announces it. */
export interface HubFile {
  /** Relative to the repository, with `/`. */
  readonly path: string;
  readonly bytes: number;
  /** SHA-256 of a large file (Git LFS), SHA-1 of the git blob of any other. */
  readonly digest: { readonly kind: 'sha256' | 'git-sha1'; readonly hex: string };
}

export interface HubRevision {
  /** 40 hexadecimal digits. */
  readonly commit: string;
  readonly paths: readonly string[];
}

const MAX_REDIRECTS = 5;
const COMMIT = /^[0-9a-f]{40}$/;

/** Speaks the HTTP protocol of the Hugging Face hub. Every failure is a RagmeshError. */
export class HubClient implements OnModuleDestroy {
  /** While the hub fails, nobody waits for its silence. */
  readonly #breaker = circuitBreaker('hub', { service: 'model', timeoutMs: Infinity, isFailure: isHubIll });

  constructor(private readonly options: HubClientOptions) {}

  onModuleDestroy(): void {
    this.#breaker.shutdown();
  }

  /** The commit a branch, tag or commit stands for, and its files. */
  async revision(repository: string, revision: string): Promise<HubRevision> {
    const request = { repository, revision };
    const url = this.url(`/api/models/${repository}/revision/${encodeURIComponent(revision)}`);
    return this.guarded(request, async (silence) => {
      const response = await this.ask(request, url, { method: 'GET' }, silence);
      const listing = (await response.json().catch(() => undefined)) as Listing | undefined;
      const paths = listing?.siblings?.map(({ rfilename }) => rfilename);
      if (!listing?.sha || !COMMIT.test(listing.sha) || !paths?.every((path) => typeof path === 'string'))
        throw failed(request, 'an answer that is not a list of files');
      return { commit: listing.sha, paths };
    });
  }

  /** Size and checksum of a file; of a large one from the hub's answer itself and not from where it points to. */
  async announce(request: HubRequest & { readonly path: string }): Promise<HubFile> {
    return this.guarded(request, async (silence) => {
      const { headers } = await this.ask(request, this.fileUrl(request), { method: 'HEAD' }, silence);
      const commit = headers.get('x-repo-commit');
      if (commit !== null && commit !== request.revision) throw failed(request, 'a file of another commit');
      const etag = (headers.get('x-linked-etag') ?? headers.get('etag') ?? '').replace(/^W\//, '').replaceAll('"', '');
      const bytes = Number(headers.get('x-linked-size') ?? headers.get('content-length') ?? NaN);
      if (!/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(etag) || !Number.isSafeInteger(bytes) || bytes <= 0)
        throw failed(request, `no size and checksum of ${request.path}`);
      const kind = etag.length === 64 ? 'sha256' : 'git-sha1';
      return { path: request.path, bytes, digest: { kind, hex: etag } };
    });
  }

  /**
   * Hands the bytes of a file from `from` on to `take`, one chunk after the other; ends when the server does, which may
   * be too early.
   * @param begin is told where the bytes begin: at 0 where the server does not continue a download.
   */
  async read(
    request: HubRequest & { readonly path: string },
    from: number,
    begin: (offset: number) => Promise<(chunk: Uint8Array) => Promise<void>>,
  ): Promise<void> {
    await this.guarded(request, async (silence) => {
      const headers: Record<string, string> = from > 0 ? { range: `bytes=${from}-` } : {};
      const response = await this.ask(request, this.fileUrl(request), { method: 'GET', headers }, silence);
      const start = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1];
      const take = await begin(response.status === 206 ? Number(start) : 0);
      for await (const chunk of response.body ?? []) {
        silence.broken();
        await take(chunk);
      }
    });
  }

  private url(path: string): URL {
    return new URL(`${this.options.endpoint.replace(/\/+$/, '')}${path}`);
  }

  private fileUrl({ repository, revision, path }: HubRequest & { readonly path: string }): URL {
    const encoded = path.split('/').map(encodeURIComponent).join('/');
    return this.url(`/${repository}/resolve/${encodeURIComponent(revision)}/${encoded}`);
  }

  /** The head of an answer is what counts for the hub: a download that breaks off after it goes on where it was. */
  private async ask(request: HubRequest, url: URL, init: RequestInit, silence: Silence): Promise<Response> {
    try {
      return await this.#breaker.run(() => this.follow(request, url, init, silence));
    } catch (error) {
      throw isRagmeshError(error) && error.code === 'DEPENDENCY.UNAVAILABLE' ? hubPause(request, error) : error;
    }
  }

  /**
   * Follows redirects to allowed hosts; the token stays with the hub. A large file is announced by the hub's own redirect,
   * so a HEAD goes no further than the hub.
   */
  private async follow(request: HubRequest, first: URL, init: RequestInit, silence: Silence): Promise<Response> {
    const { endpoint, token, allowedHosts } = this.options;
    const hub = new URL(endpoint).origin;
    let url = first;
    for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
      if (url.origin !== hub) allowedHosts.demand(url);
      const headers = new Headers({ ...(init.headers as Record<string, string>), 'accept-encoding': 'identity' });
      if (token && url.origin === hub) headers.set('authorization', `Bearer ${token}`);
      const response = await fetch(url, { ...init, headers, redirect: 'manual', signal: silence.signal });
      silence.broken();
      const location = response.headers.get('location');
      if (response.status < 300 || response.status >= 400 || !location) {
        if (response.ok) return response;
        await response.body?.cancel();
        throw hubRefusal(request, response);
      }
      if (init.method === 'HEAD' && response.headers.has('x-linked-etag')) return response;
      await response.body?.cancel();
      url = new URL(location, url);
    }
    throw failed(request, 'too many redirects');
  }

  private async guarded<T>(request: HubRequest, call: (silence: Silence) => Promise<T>): Promise<T> {
    const silence = new Silence(this.options.silenceMs);
    try {
      return await call(silence);
    } catch (error) {
      throw hubTrouble(request, error);
    } finally {
      silence.end();
    }
  }
}

interface Listing {
  readonly sha?: string;
  readonly siblings?: readonly { readonly rfilename: string }[];
}

/** Breaks a request off when nothing was heard for too long, however long it takes as a whole. */
class Silence {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;

  constructor(milliseconds: number) {
    this.#timer = setTimeout(() => this.#controller.abort(new Error('The hub fell silent.')), milliseconds);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  broken(): void {
    this.#timer.refresh();
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#controller.abort();
  }
}

function failed({ repository, path }: HubRequest, what: string): RagmeshError {
  const details = { model: repository, ...(path ? { file: path } : {}) };
  return new RagmeshError('MODEL.DOWNLOAD_FAILED', `The hub gave ${what}.`, details);
}
