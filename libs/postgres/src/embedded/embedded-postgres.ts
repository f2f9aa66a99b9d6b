import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRagmeshError } from '@ragmesh/errors';
import { findBinaries } from './binaries.js';
import { DataFolderLock } from './data-folder-lock.js';
import { clusterPassword, openDataFolder, type DataFolder } from './data-folder.js';
import { initialiseCluster } from './initialise-cluster.js';
import type { Postmaster } from './postmaster.js';
import { ensureServer, stopServer, tellToStop, type ServerProcess, type ServerProgram } from './server-process.js';
import { serverUrl } from './server-url.js';
import { unprivilegedUser, type SystemUser } from './system-user.js';

const restartPauseMs = 200;
/** Sessions of a server that was killed may take a while to end, and as long as one is left no other starts. */
const restartPatienceMs = 30_000;

/** Whoever owns the cluster has to run it; before there is one, whoever may. */
function ownerOf({ cluster }: DataFolder): SystemUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const { uid, gid } = statSync(cluster, { throwIfNoEntry: false }) ?? { uid: 0, gid: 0 };
  return uid === 0 ? unprivilegedUser() : { uid, gid };
}

export interface EmbeddedPostgresOptions {
  /** Called when the server died and could not be brought back, or another process took the folder meanwhile. */
  readonly onLost?: (error: unknown) => void;
  /** Called for each server that is started, with what does as {@link EmbeddedPostgres.abandon} before it takes connections. */
  readonly onSpawn?: (abandon: () => void) => void;
}

/**
 * The PostgreSQL server of a data folder, in `<folder>/postgres`. It is created on first use, found again after this
 * process was killed, restarted on the same port when it dies, and used by one ragmesh at a time.
 */
export class EmbeddedPostgres {
  private isStopping = false;
  private recovering: Promise<void> | undefined;
  private lock: DataFolderLock | undefined;

  private constructor(
    private readonly folder: DataFolder,
    private readonly password: string,
    private readonly program: ServerProgram,
    private readonly onLost: (error: unknown) => void,
    private server: Postmaster & { readonly adopted: boolean },
  ) {}

  /**
   * Resolves when the server takes connections. One that it started and cannot use ends when it rejects, unless another process
   * has taken it over, or it still recovers from a crash after minutes: the next start finds it.
   * @throws RagmeshError `CONFIG.DATA_DIR_UNWRITABLE`, `CONFIG.DATA_DIR_IN_USE`, `STORAGE.FULL` or `STORAGE.UNAVAILABLE`.
   */
  static async start(
    dataDir: string,
    { onLost = () => undefined, onSpawn = () => undefined }: EmbeddedPostgresOptions = {},
  ): Promise<EmbeddedPostgres> {
    const folder = openDataFolder(resolve(dataDir));
    const user = ownerOf(folder);
    const password = clusterPassword(folder, user);
    const { initdb, postgres } = await findBinaries();
    await initialiseCluster(folder, initdb, user);
    const program = { postgres, user, onSpawn: (spawned: ServerProcess) => onSpawn(() => void tellToStop(spawned)) };
    const server = await ensureServer(folder, program);
    const embedded = new EmbeddedPostgres(folder, password, program, onLost, server);
    try {
      await embedded.takeLock();
    } catch (error) {
      if (!server.adopted && !isTakenOver(error)) await stopServer(server);
      throw error;
    }
    return embedded;
  }

  /** Whether the server already ran, because the process before this one was killed. */
  get wasAdopted(): boolean {
    return this.server.adopted;
  }

  /** The server's process. */
  get pid(): number {
    return this.server.pid;
  }

  /** Connection string, with the password, for one of its databases; `migrate` creates a missing one. */
  url(database: string): string {
    return serverUrl(this.server, this.password, database);
  }

  /** Ends the server, also one that is just being brought back; connections that are still open are cut. */
  async stop(): Promise<void> {
    this.isStopping = true;
    await this.recovering;
    await this.lock?.release();
    await stopServer(this.server);
  }

  /** Tells the server to end, as {@link stop} does, for a process that cannot wait until it has. */
  abandon(): void {
    tellToStop(this.server);
  }

  private async takeLock(): Promise<void> {
    const onBreak = (): void => void (this.recovering = this.recover());
    this.lock = await DataFolderLock.acquire(this.url('postgres'), this.folder.root, onBreak);
  }

  /** The lock's connection broke: the server died or restarted itself after a crash of one of its processes. */
  private async recover(): Promise<void> {
    const deadline = performance.now() + restartPatienceMs;
    while (!this.isStopping) {
      try {
        this.server = await ensureServer(this.folder, this.program, this.server.port);
        await this.takeLock();
        return;
      } catch (error) {
        if (isTakenOver(error) || performance.now() > deadline) return this.onLost(error);
        await sleep(restartPauseMs);
      }
    }
  }
}

const isTakenOver = (error: unknown): boolean => isRagmeshError(error) && error.code === 'CONFIG.DATA_DIR_IN_USE';
