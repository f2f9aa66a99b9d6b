import { randomUUID } from 'node:crypto';
import { HandledEvictions } from './handled-evictions.js';
import type { RedisClient } from './redis-client.js';

/** The tag that every entry has. */
export const EVERYTHING = '*';

/** How often this process asks what it may have missed. */
const PULSE_MS = 1_000;

/** Evictions that wait for Redis; of more than these, everything is evicted instead. */
const MAX_PENDING = 10_000;
const BATCH = 1_000;

/** What evictions mean to this process' own memory. */
export interface EvictionListener {
  evicted(tags: readonly string[]): void;
  /** Any tag may have been evicted. */
  allEvicted(): void;
}

interface Announcement {
  readonly time: string;
  readonly sender: string;
  readonly tags: readonly string[];
}

/**
 * Carries evictions to Redis and from there to the other processes: at once by a subscription, and for certain by asking once
 * a second for what the log has since last time. While Redis is away, evictions wait here, and its entries are not read.
 */
export class EvictionFeed {
  readonly #sender = randomUUID();
  readonly #pending = new Set<string>();
  readonly #timer: NodeJS.Timeout;
  /** Evictions after `#seen` that came by subscription or are our own. */
  readonly #handled = new HandledEvictions();
  #seen: string | undefined;
  #adopted = false;
  #inSync = false;
  #lastSync = -Infinity;
  #pulsing: Promise<void> | undefined;

  constructor(
    private readonly client: RedisClient,
    private readonly subscriber: RedisClient,
    private readonly base: string,
    private readonly listener: EvictionListener,
  ) {
    this.subscriber.connection.on('ready', () => void this.#subscribe());
    this.subscriber.connection.on('message', (_channel, message) => this.#hear(message));
    client.connection.on('ready', () => void this.pulse());
    client.connection.on('close', () => ((this.#inSync = false), (this.#adopted = false)));
    this.#timer = setInterval(() => void this.pulse(), PULSE_MS).unref();
  }

  /** Whether Redis has all our evictions and we have all of Redis': only then its entries may be read. */
  get inSync(): boolean {
    return this.#inSync && this.#pending.size === 0;
  }

  /** Since when an eviction elsewhere may have been missed, in ms ago. */
  get silentForMs(): number {
    return performance.now() - this.#lastSync;
  }

  /** Resolves when Redis has it, or after the time that one command may take; then it goes on trying. */
  async evict(tags: readonly string[]): Promise<void> {
    for (const tag of tags) this.#pending.add(tag);
    if (this.#pending.size > MAX_PENDING) {
      this.#pending.clear();
      this.#pending.add(EVERYTHING);
    }
    await this.#flush().catch(() => undefined); // they stay pending for the next pulse
  }

  /** Brings both sides up to date. Never throws: the next pulse tries again. */
  pulse(): Promise<void> {
    this.#pulsing ??= this.#synchronise()
      .then(
        () => ((this.#inSync = true), (this.#lastSync = performance.now())),
        () => (this.#inSync = false),
      )
      .then(() => void (this.#pulsing = undefined));
    return this.#pulsing;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#inSync = false;
    this.subscriber.close();
    await this.#pulsing;
  }

  async #synchronise(): Promise<void> {
    if (!this.client.isReady) throw new Error('Redis is away');
    if (!this.#adopted) await this.#adopt();
    await this.#flush();
    await this.#catchUp();
  }

  async #adopt(): Promise<void> {
    const run = /run_id:(\w+)/.exec(await this.client.connection.info('server'))?.[1] ?? randomUUID();
    await this.client.run('adopt', [], [this.base, this.#channel, this.#sender, run, EVERYTHING]);
    this.#adopted = true;
  }

  async #flush(): Promise<void> {
    while (this.#pending.size > 0) {
      const tags = [...this.#pending].slice(0, BATCH);
      const time = await this.client.run('evict', [], [this.base, this.#channel, this.#sender, ...tags]);
      this.#handled.add(String(time));
      for (const tag of tags) this.#pending.delete(tag);
    }
  }

  async #catchUp(): Promise<void> {
    const answer = await this.client.run('since', [], [this.base, this.#seen ?? '0']);
    const [floor, clock, ...log] = (answer as Buffer[]).map(String);
    const missed = new Set<string>();
    for (let at = 0; at < log.length; at += 2) {
      const [tag, time] = [log[at]!, log[at + 1]!];
      if (!tag.startsWith('#') && !this.#handled.has(time)) missed.add(tag);
    }
    if (this.#seen === undefined || Number(floor) > Number(this.#seen)) this.listener.allEvicted();
    else this.#tell([...missed]);
    this.#seen = clock!;
    this.#handled.forgetUntil(clock!);
  }

  #hear(message: string): void {
    const { time, sender, tags } = JSON.parse(message) as Announcement;
    if (sender === this.#sender) return;
    this.#handled.add(time);
    this.#tell(tags);
  }

  #tell(tags: readonly string[]): void {
    if (tags.includes(EVERYTHING)) this.listener.allEvicted();
    else if (tags.length > 0) this.listener.evicted(tags);
  }

  async #subscribe(): Promise<void> {
    // Without it the pulse still hears of everything, a second later.
    await this.subscriber.connection.subscribe(this.#channel).catch(() => undefined);
  }

  get #channel(): string {
    return `${this.base}evictions`;
  }
}
