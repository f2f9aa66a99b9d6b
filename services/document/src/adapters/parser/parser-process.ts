import { fileURLToPath } from 'node:url';
import { currentContext } from '@ragmesh/observability';
import { TurnQueue } from '@ragmesh/resilience';
import { residentBytes } from './memory-watch.js';
import { runParse, type ParseRequest, type ParseResult } from './parse-run.js';
import { defaultParserLimits, type ParserLimits } from './parser-limits.js';
import { WarmChild } from './warm-child.js';

/** A fresh child takes some 55 MB, one that has read a PDF twice that. Above this it leaked or was swollen by a book. */
const keptBytes = 160 * 1024 * 1024;

/** A child with loaded converters reads the next file faster, and is worth its memory only while files keep coming. */
const leanBytes = 96 * 1024 * 1024;
const leanAfterMs = 30_000;

/** Hands the path of a file to `use`; the file may be gone afterwards. */
export type OpenFile = (use: (path: string) => Promise<ParseResult>) => Promise<ParseResult>;

/** The compiled entry: beside this file, or in the last build when this file itself runs from source. */
function defaultEntry(): string {
  const isSource = import.meta.url.endsWith('.ts');
  return fileURLToPath(
    new URL(isSource ? '../../../dist/adapters/parser/parser-child.js' : 'parser-child.js', import.meta.url),
  );
}

/**
 * Parses documents in killable child processes without network, environment or data folder. One lean child is kept ready
 * from the start; at most `concurrency` documents are read at once and the others wait their turn, which goes from tenant
 * to tenant. The event loop of this process only moves buffers of some ten kilobytes.
 */
export class ParserProcesses {
  private readonly limits: ParserLimits;
  private readonly waiting = new TurnQueue<() => void>();
  private readonly children = new Set<WarmChild>();
  private idle: WarmChild | null = null;
  private leaning: NodeJS.Timeout | undefined;
  private running = 0;
  private closed = false;

  /** @param entry path of the compiled `parser-child.js`. */
  constructor(
    limits: Partial<ParserLimits> = {},
    private readonly entry = defaultEntry(),
  ) {
    this.limits = { ...defaultParserLimits, ...limits };
    this.idle = this.start();
  }

  /**
   * Writes the canonical text to `outputPath` and gives its chunks. Limits count from when a child takes the document.
   * @throws `DOCUMENT.*` as {@link parseDocument} does, and `PARSE_TIMEOUT`, `LIMIT_EXCEEDED` (memory), `PARSER_CRASHED`;
   *   the signal's reason when aborted; `STORAGE.FULL`.
   */
  parse({ path, ...request }: ParseRequest, signal?: AbortSignal): Promise<ParseResult> {
    return this.parseFrom((use) => use(path), request, signal);
  }

  /** As {@link parse}, for a file that is got hold of when it is its turn. @throws what `open` throws. */
  async parseFrom(open: OpenFile, request: Omit<ParseRequest, 'path'>, signal?: AbortSignal): Promise<ParseResult> {
    await this.turn(signal);
    try {
      return await open((path) => this.parseNow({ ...request, path }, signal));
    } finally {
      this.release();
    }
  }

  /** Kills every child; documents being read fail with `DOCUMENT.PARSER_CRASHED`, which is retried elsewhere. */
  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.leaning);
    await Promise.all([...this.children].map((child) => child.close()));
  }

  private async parseNow(request: ParseRequest, signal?: AbortSignal): Promise<ParseResult> {
    const child = this.take();
    try {
      return await runParse(child, request, this.limits, signal);
    } finally {
      await this.giveBack(child);
    }
  }

  private async turn(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.running < this.limits.concurrency) {
      this.running += 1;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const tenant = currentContext()?.tenant ?? '';
    const abort = () => {
      this.waiting.remove(tenant, resolve);
      reject(signal?.reason);
    };
    this.waiting.push(tenant, resolve);
    signal?.addEventListener('abort', abort, { once: true });
    await promise.finally(() => signal?.removeEventListener('abort', abort));
  }

  /** The turn passes directly to who is next, so `running` stays as it is then. */
  private release(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.running -= 1;
  }

  private take(): WarmChild {
    const child = this.idle?.isAlive ? this.idle : this.start();
    this.idle = null;
    return child;
  }

  private async giveBack(child: WarmChild): Promise<void> {
    const resident = child.isAlive && child.pid !== undefined ? await residentBytes(child.pid) : Infinity;
    if (resident > keptBytes || this.idle?.isAlive || this.closed) child.kill();
    else this.idle = child;
    if (this.closed) return;
    if (!this.idle?.isAlive) this.idle = this.start();
    clearTimeout(this.leaning);
    if (resident > leanBytes) this.leaning = setTimeout(() => this.replaceIdle(), leanAfterMs).unref();
  }

  private replaceIdle(): void {
    if (!this.idle) return;
    this.idle.kill();
    this.idle = this.start();
  }

  private start(): WarmChild {
    const child = new WarmChild(this.entry, this.limits.memoryBytes);
    this.children.add(child);
    void child.gone.then(() => this.children.delete(child));
    return child;
  }
}

export type { ParseRequest, ParseResult } from './parse-run.js';
