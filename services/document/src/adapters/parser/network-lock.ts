import dgram from 'node:dgram';
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';

/**
 * Takes the network away from this process. Node 24's permission model covers files, processes, threads and addons, but
 * not sockets; parsers evaluate no code from a document, so refusing at the entry points is enough to stop a library
 * that would fetch what a document links to. Pipes that are already open keep working.
 */
export function lockNetwork(): void {
  const refuse = (): never => {
    throw new Error('The parser has no network.');
  };
  net.Socket.prototype.connect = refuse;
  net.Server.prototype.listen = refuse;
  dgram.createSocket = refuse;
  Object.assign(dns, { lookup: refuse, resolve: refuse });
  Object.assign(dns.promises, { lookup: refuse, resolve: refuse });
  for (const name of ['fetch', 'WebSocket', 'EventSource']) Reflect.deleteProperty(globalThis, name);
  syncBuiltinESMExports();
}
