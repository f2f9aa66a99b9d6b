import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { clusterPassword, openDataFolder } from './data-folder.js';
import { findPostmaster } from './postmaster.js';
import { serverUrl } from './server-url.js';

/**
 * The server that runs in a data folder at the moment, whoever started it, by the connection strings of its databases. It is
 * neither started nor held: it ends when its owner ends it.
 * @returns undefined where none runs.
 * @throws RagmeshError `CONFIG.DATA_DIR_UNWRITABLE` where the folder belongs to somebody else.
 */
export function attachEmbedded(dataDir: string): ((database: string) => string) | undefined {
  if (!existsSync(dataDir)) return undefined;
  const folder = openDataFolder(resolve(dataDir));
  const server = findPostmaster(folder.cluster);
  if (server === undefined || server === 'stale' || !server.isReady) return undefined;
  const password = clusterPassword(folder);
  return (database) => serverUrl(server, password, database);
}
