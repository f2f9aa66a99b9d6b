import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where the services of one process answer each other. */
export interface CallSockets {
  addressOf(service: string): string;
  close(): Promise<void>;
}

/**
 * Unix sockets in a folder only this user can enter: unlike loopback ports they cannot be taken by another program in
 * between, nor called by another user of the machine. In the system's folder for temporary files, because the path of a
 * socket may have 100 characters at most.
 */
export async function openCallSockets(): Promise<CallSockets> {
  const folder = await mkdtemp(join(tmpdir(), 'ragmesh-'));
  return {
    addressOf: (service) => `unix:${join(folder, `${service}.sock`)}`,
    close: () => rm(folder, { recursive: true, force: true }),
  };
}
