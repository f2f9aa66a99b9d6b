import { fileURLToPath } from 'node:url';
import { residentBytes } from './memory-watch.js';
import { runParse, type ParseRequest, type ParseResult } from './parse-run.js';
import { defaultParserLimits, type ParserLimits } from './parser-limits.js';
import { WarmChild } from './warm-child.js';

/** An idle child larger than this is replaced: it leaked, or keeps what a large document needed. */
const leanBytes = 80 * 1024 * 1024;

/** The compiled entry: beside this file, or in the last build when this file itself runs from source. */
function defaultEntry(): string {
  const isSource = import.meta.url.endsWith('.ts');
  return fileURLToPath(
    new URL(isSource ? '../../../dist/adapters/parser/parser-child.js' : 'parser-child.js', import.meta.url),
  );
}

/**
 * Parses documents in killable child processes without network, environment or data folder. One lean child is kept ready
 * from the start; at most `concurrency` documents are read at once and the others wait their turn. The event loop of
 * this process only moves buffers of some ten kilobytes.
 */
export class ParserProcesses {
  private readonly limits: ParserLimits;
  private readonly waiting: (() => void)[] = [];
  private readonly children = new Set<WarmChild>();
  private idle: WarmChild | null = null;
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
  async parse(request: ParseRequest, signal?: AbortSignal): Promise<ParseResult> {
    await this.turn(signal);
    const child = this.take();
    try {
      return await runParse(child, request, this.limits, signal);
    } finally {
      this.release();
      await this.giveBack(child);
    }
  }

  /** Kills every child; documents being read fail with `DOCUMENT.PARSER_CRASHED`, which is retried elsewhere. */
  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([...this.children].map((child) => child.close()));
  }

  private async turn(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.running < this.limits.concurrency) {
      this.running += 1;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = () => {
      const place = this.waiting.indexOf(resolve);
      if (place >= 0) this.waiting.splice(place, 1);
      reject(signal?.reason);
    };
    this.waiting.push(resolve);
    signal?.addEventListener('abort', abort, { once: true });
    await promise.finally(() => signal?.removeEventListener('abort', abort));
  }

  /** The turn passes directly to who waits longest, so `running` stays as it is then. */
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
    const isLean = child.isAlive && child.pid !== undefined && (await residentBytes(child.pid)) <= leanBytes;
    if (isLean && !this.idle?.isAlive && !this.closed) {
      this.idle = child;
      return;
    }
    child.kill();
    if (!this.idle?.isAlive && !this.closed) this.idle = this.start();
  }

  private start(): WarmChild {
    const child = new WarmChild(this.entry, this.limits.memoryBytes);
    this.children.add(child);
    void child.gone.then(() => this.children.delete(child));
    return child;
  }
}

export type { ParseRequest, ParseResult } from './parse-run.js';
