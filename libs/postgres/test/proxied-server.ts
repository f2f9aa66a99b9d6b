import { FaultProxy } from '@ragmesh/testing';

/** Port of a server by the connection string of a Unix socket or of TCP. */
export function portOf(url: string): number {
  const { searchParams, port } = new URL(url);
  return Number(searchParams.get('port') ?? port);
}

/** The same database by TCP, through what listens on `port`. */
export function through({ port }: FaultProxy, url: string): string {
  const { username, password, pathname } = new URL(url);
  return `postgresql://${username}:${password}@127.0.0.1:${port}${pathname}`;
}
