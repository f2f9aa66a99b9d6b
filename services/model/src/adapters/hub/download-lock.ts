import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

/** How often a holder shows that it lives, and after how long without it is taken for dead. */
const BEAT_MS = 2_000;
const DEAD_AFTER_MS = 15_000;
const POLL_MS = 100;

interface Owner {
  readonly id: string;
  readonly pid: number;
  readonly host: string;
}

/**
 * A lock file that processes of one machine, or of several with a common file system, hold one after the other. The lock
 * of a process that died is taken over: at once on its own machine, after 15 s without a beat elsewhere.
 */
export class DownloadLock {
  private constructor(
    private readonly path: string,
    private readonly id: string,
    private readonly beat: NodeJS.Timeout,
  ) {}

  /** Waits for the lock; undefined as soon as `isDone` holds, because another process did the work. */
  static async acquire(path: string, isDone: () => Promise<boolean>): Promise<DownloadLock | undefined> {
    const owner: Owner = { id: randomUUID(), pid: process.pid, host: hostname() };
    while (!(await isDone())) {
      if (await created(path, owner)) return new DownloadLock(path, owner.id, beating(path));
      await removeIfDead(path);
      await sleep(POLL_MS);
    }
    return undefined;
  }

  async release(): Promise<void> {
    clearInterval(this.beat);
    if ((await ownerOf(this.path))?.id === this.id) await rm(this.path, { force: true });
  }
}

/** Written beside and linked into place, so that nobody ever reads half an owner. */
async function created(target: string, owner: Owner): Promise<boolean> {
  const own = `${target}.${owner.id}`;
  await writeFile(own, JSON.stringify(owner));
  try {
    await link(own, target);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(own, { force: true });
  }
}

function beating(target: string): NodeJS.Timeout {
  const beat = (): void => void utimes(target, new Date(), new Date()).catch(() => undefined);
  return setInterval(beat, BEAT_MS).unref();
}

/** Moved away before it is removed: when it changed hands meanwhile, what was moved lives, and is put back. */
async function removeIfDead(target: string): Promise<void> {
  const seen = await ownerOf(target);
  if (!seen || (await lives(target, seen))) return;
  const aside = `${target}.${randomUUID()}`;
  await rename(target, aside).catch(() => undefined);
  if ((await ownerOf(aside))?.id !== seen.id) await link(aside, target).catch(() => undefined);
  await rm(aside, { force: true });
}

/** Undefined without a lock. One whose content a power loss took is nobody's, and dead once it is not beaten. */
async function ownerOf(target: string): Promise<Owner | undefined> {
  const json = await readFile(target, 'utf8').catch(() => undefined);
  if (json === undefined) return undefined;
  const nobody: Owner = { id: '', pid: 0, host: '' };
  try {
    return { ...nobody, ...(JSON.parse(json) as Partial<Owner> | null) };
  } catch {
    return nobody;
  }
}

async function lives(target: string, { pid, host }: Owner): Promise<boolean> {
  const found = await stat(target).catch(() => undefined);
  if (!found || Date.now() - found.mtimeMs > DEAD_AFTER_MS) return false;
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
