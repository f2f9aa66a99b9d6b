import pg from 'pg';
import { KEEP_ALIVE_AFTER_MS, breakWhenSilent } from './silent-connection.js';

type Listener = (payload: string) => void;

const firstRetryMs = 100;
const longestRetryMs = 5_000;
/** For the answer to a LISTEN, and for the other side to close. */
const longestSilenceMs = 10_000;

/**
 * One dedicated connection that LISTENs. A notification is a hint, never the message itself: those sent while the
 * connection was away are lost, so every listener is also called (with an empty payload) after each reconnect.
 */
export class Notifications {
  private readonly listeners = new Map<string, Set<Listener>>();
  private client: pg.Client | undefined;
  private retryTimer: NodeJS.Timeout | undefined;
  private retryMs = firstRetryMs;
  private isClosed = false;

  constructor(private readonly url: string) {}

  /**
   * Resolves once the server listens on the channel, or could not be reached: then it listens after a reconnect, of which the
   * listener is told as of any other. Never rejects.
   * @returns a function that takes the listener off again.
   */
  async on(channel: string, listener: Listener): Promise<() => void> {
    const listeners = this.listeners.get(channel) ?? new Set();
    this.listeners.set(channel, listeners.add(listener));
    if (this.client === undefined) await this.connect();
    else if (listeners.size === 1) await this.attempt(this.client, (client) => listen(client, channel));
    return () => listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.retryTimer);
    await this.client?.end().catch(() => undefined); // a lost connection is as good as an ended one
    this.client = undefined;
  }

  private async connect(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.url,
      application_name: 'ragmesh-notifications',
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
      connectionTimeoutMillis: 5_000,
    });
    this.client = client;
    client.on('error', () => undefined); // 'end' follows and reconnects
    client.on('end', () => this.reconnect(client));
    client.on('notification', ({ channel, payload = '' }) => this.tell(channel, payload));
    await this.attempt(client, async () => {
      await client.connect();
      breakWhenSilent(client, longestSilenceMs);
      for (const channel of this.listeners.keys()) await listen(client, channel);
      this.retryMs = firstRetryMs;
    });
  }

  /** What fails means that the connection is of no use, whatever the reason: another takes its place later. */
  private async attempt(client: pg.Client, work: (client: pg.Client) => Promise<void>): Promise<void> {
    await work(client).catch(() => this.reconnect(client));
  }

  private reconnect(lost: pg.Client): void {
    if (this.isClosed || this.client !== lost) return;
    this.client = undefined;
    lost.end().catch(() => undefined); // it is lost already
    this.retryTimer = setTimeout(() => void this.connectAgain(), this.retryMs);
    this.retryMs = Math.min(this.retryMs * 2, longestRetryMs);
  }

  private async connectAgain(): Promise<void> {
    if (this.isClosed || this.client !== undefined) return;
    await this.connect();
    if (this.client === undefined) return;
    for (const channel of this.listeners.keys()) this.tell(channel, '');
  }

  private tell(channel: string, payload: string): void {
    for (const listener of this.listeners.get(channel) ?? []) listener(payload);
  }
}

async function listen(client: pg.Client, channel: string): Promise<void> {
  await client.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
}
