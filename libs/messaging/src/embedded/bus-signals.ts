import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';

const CHANNEL = 'ragmesh_bus';
const GATHER_MS = 4;
const RECONNECT_MS = [50, 100, 200, 400, 800] as const;

/** The server process behind the session; when it is gone, so is the member. */
export interface SessionIdentity {
  readonly pid: number;
  readonly started: string;
}

/** What other processes are told: which partitions grew, and whether groups changed. */
export interface BusSignal {
  readonly from: string;
  readonly partitions: readonly number[];
  readonly groups: boolean;
}

export interface SignalHandlers {
  /** The session stands, at first or again; anything may have happened meanwhile. */
  connected(identity: SessionIdentity): void;
  /** The session is gone, and another is on its way. */
  lost(): void;
  received(signal: BusSignal): void;
  failed(error: unknown): void;
}

/**
 * A session of its own that hears and tells other processes. Signals leave outside of the writing transaction, since a
 * commit with a NOTIFY waits for every other such commit, and are gathered while one is on its way.
 */
export class BusSignals {
  private client: pg.Client | undefined;
  private closed = false;
  private attempts = 0;
  private retry: NodeJS.Timeout | undefined;
  private readonly pending = new Set<number>();
  private groupsPending = false;
  private sending: Promise<void> | undefined;

  constructor(
    private readonly databaseUrl: string,
    private readonly from: string,
    private readonly handlers: SignalHandlers,
  ) {}

  /** Rejects when the first connection fails; later ones are repaired without a word to the caller. */
  async connect(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.databaseUrl,
      application_name: 'ragmesh-bus-signals',
      connectionTimeoutMillis: 5_000,
      statement_timeout: 10_000,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      options: '-c synchronous_commit=off',
    });
    client.on('error', (error) => this.handlers.failed(error));
    client.on('end', () => this.lost(client));
    client.on('notification', ({ payload }) => this.receive(payload));
    try {
      await client.connect();
      await client.query(`listen ${CHANNEL}`);
      const { rows } = await client.query<SessionIdentity>(
        `select pid, backend_start::text as started from pg_stat_activity where pid = pg_backend_pid()`,
      );
      if (this.closed) return await client.end();
      this.client = client;
      this.attempts = 0;
      this.handlers.connected(rows[0]!);
    } catch (error) {
      if (this.client === client) this.handlers.failed(error);
      else {
        client.end().catch(() => undefined); // it never got connected
        throw error;
      }
    }
  }

  tellAppended(partitionId: number): void {
    this.pending.add(partitionId);
    this.send();
  }

  tellGroupsChanged(): void {
    this.groupsPending = true;
    this.send();
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.retry);
    await this.sending;
    await this.client?.end().catch(() => undefined); // a lost connection is as good as an ended one
  }

  private send(): void {
    this.sending ??= this.flush().finally(() => (this.sending = undefined));
  }

  private async flush(): Promise<void> {
    while (this.client && (this.pending.size > 0 || this.groupsPending)) {
      // Its own process knows already; others can wait a moment, so that many writes share a signal.
      await delay(GATHER_MS, undefined, { ref: false });
      if (!this.client) return;
      const signal: BusSignal = {
        from: this.from,
        partitions: [...this.pending].slice(0, 800),
        groups: this.groupsPending,
      };
      for (const id of signal.partitions) this.pending.delete(id);
      this.groupsPending = false;
      const told = this.client.query('select pg_notify($1, $2)', [CHANNEL, JSON.stringify(signal)]);
      await told.catch((error: unknown) => this.handlers.failed(error));
    }
  }

  private receive(payload: string | undefined): void {
    const signal = JSON.parse(payload ?? '{}') as BusSignal;
    if (signal.from !== this.from) this.handlers.received(signal);
  }

  private lost(client: pg.Client): void {
    if (this.client !== client) return;
    this.client = undefined;
    this.handlers.lost();
    this.reconnectLater();
  }

  private reconnectLater(): void {
    if (this.closed) return;
    const pause = RECONNECT_MS[Math.min(this.attempts++, RECONNECT_MS.length - 1)]!;
    this.retry = setTimeout(() => {
      this.connect().catch((error: unknown) => {
        this.handlers.failed(error);
        this.reconnectLater();
      });
    }, pause);
    this.retry.unref();
  }
}
