import type { Environment } from '@ragmesh/config';
import { freePorts } from '@ragmesh/local-servers';
import { Database, createPool } from '@ragmesh/postgres';
import { ApiClient } from '../../standalone/test/api-client.js';
import { newDataDir, removeDataDir } from './data-dir.js';
import { MeshOracle } from '../../standalone/test/mesh-oracle.js';
import { startMesh, type Mesh } from '../src/start-mesh.js';

/** A running mesh of eight processes with a client, and the oracle over its databases. */
export interface EightProcesses {
  readonly api: ApiClient;
  readonly oracle: MeshOracle;
  readonly mesh: Mesh;
  close(): Promise<void>;
}

/** Starts what `npm run mesh` starts, supervised by this process. */
export async function startEightProcesses(settings: Environment): Promise<EightProcesses> {
  const dataDir = await newDataDir();
  const [port] = await freePorts(1);
  const mesh = await startMesh({
    environment: {
      PATH: process.env['PATH'],
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
      RAGMESH_DATA_DIR: dataDir,
      SERVER_PORT: String(port),
      APP_EMBEDDINGS_BACKEND: 'mock',
      ...settings,
    },
    say: () => undefined,
    onLost: () => undefined,
  });
  const databaseUrl = new URL(mesh.servers.environment['DATABASE_URL']!);
  const oracle = new MeshOracle(
    {
      openDatabase: (service) => {
        databaseUrl.pathname = `/ragmesh_${service}`;
        return new Database(createPool(databaseUrl.href, { max: 1 }));
      },
    },
    dataDir,
  );
  return {
    api: new ApiClient(mesh.url),
    oracle,
    mesh,
    close: async () => {
      await oracle.close();
      await mesh.close();
      await removeDataDir(dataDir);
    },
  };
}
