import type { Postmaster } from './postmaster.js';

/** Connection string, with the password, for one of a server's databases; by its Unix socket where it has one. */
export function serverUrl({ port, socketFolder }: Postmaster, password: string, database: string): string {
  const address = socketFolder ? `localhost` : `127.0.0.1:${port}`;
  const socket = socketFolder ? `?host=${encodeURIComponent(socketFolder)}&port=${port}` : '';
  return `postgresql://ragmesh:${password}@${address}/${encodeURIComponent(database)}${socket}`;
}
