import { readFile } from 'node:fs/promises';

const intervalMs = 50;

/**
 * Calls `onExceeded` once when the resident memory of a process passes the limit. Gives a function that ends the watch.
 * Reads Linux's /proc; elsewhere only V8's own heap limit holds.
 */
export function watchMemory(pid: number, limitBytes: number, onExceeded: () => void): () => void {
  if (process.platform !== 'linux') return () => undefined;
  const timer = setInterval(() => {
    void residentBytes(pid).then((bytes) => {
      if (bytes <= limitBytes) return;
      clearInterval(timer);
      onExceeded();
    });
  }, intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** Resident memory of a process; 0 when it is gone or the system does not tell. */
export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'latin1').catch(() => '');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}
