import { chownSync, copyFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createPool } from '@ragmesh/postgres';
import type { IssuedCertificate } from '@ragmesh/testing';

/** What the server of a mesh is told, and where its files lie. */
export interface TlsPostgres {
  /** Connection string of the socket, for whoever is on this machine. */
  readonly databaseUrl: string;
  readonly dataDir: string;
  readonly authority: string;
  readonly server: IssuedCertificate;
}

/**
 * Has a running PostgreSQL take TCP connections over TLS only, and only from clients with a certificate.
 * @returns the URL for them.
 */
export async function requireTls({ databaseUrl, dataDir, authority, server }: TlsPostgres): Promise<string> {
  const cluster = join(dataDir, 'postgres');
  const { uid, gid } = statSync(cluster);
  const place = (from: string, name: string): void => {
    copyFileSync(from, join(cluster, name));
    chownSync(join(cluster, name), uid, gid);
  };
  place(server.cert, 'server.crt');
  place(server.key, 'server.key');
  place(authority, 'root.crt');
  const rules = ['local all all scram-sha-256', 'hostssl all all 127.0.0.1/32 scram-sha-256 clientcert=verify-ca'];
  writeFileSync(join(cluster, 'pg_hba.conf'), `${rules.join('\n')}\n`);
  const pool = createPool(databaseUrl);
  await pool.query(`ALTER SYSTEM SET ssl_ca_file = 'root.crt'`);
  await pool.query('ALTER SYSTEM SET ssl = on');
  await pool.query('SELECT pg_reload_conf()');
  await pool.end();
  const [, , , port] = readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n');
  const url = new URL(databaseUrl);
  return `postgresql://${url.username}:${url.password}@localhost:${port}/`;
}
