import { resolve } from 'node:path';
import { checkConfiguration, meshVariables } from '@ragmesh/bootstrap';
import { loadConfig, type Environment } from '@ragmesh/config';
import { startServers, type Servers } from './local-servers.js';
import { edgeUrl, meshConfig } from './mesh.config.js';
import { Supervisor } from './supervisor.js';

export interface StartMeshOptions {
  readonly environment: Environment;
  readonly say: (sentence: string) => void;
  /** Called when a server that was started here was lost for good. */
  readonly onLost: (error: unknown) => void;
}

/** A whole mesh below this process. */
export interface Mesh {
  readonly url: string;
  readonly dataDir: string;
  /** Whether requests need a credential. */
  readonly isGuarded: boolean;
  readonly servers: Servers;
  readonly supervisor: Supervisor;
  close(): Promise<void>;
}

/** Starts servers that are missing, then the eight services. It composes and owns no behaviour. */
export async function startMesh({ environment, say, onLost }: StartMeshOptions): Promise<Mesh> {
  checkConfiguration([meshConfig], environment, [meshVariables]);
  const config = loadConfig(meshConfig, environment);
  const servers = await startServers(config, { say, onLost });
  try {
    const supervisor = await Supervisor.start({
      environment: { ...environment, ...servers.environment },
      dataDir: config.RAGMESH_DATA_DIR,
      say,
    });
    return {
      url: edgeUrl(config),
      dataDir: resolve(config.RAGMESH_DATA_DIR),
      isGuarded: config.AUTH_MODE !== 'off',
      servers,
      supervisor,
      close: async () => {
        await supervisor.stop();
        await servers.close();
      },
    };
  } catch (error) {
    await servers.close();
    throw error;
  }
}
