import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Drivers } from '@ragmesh/bootstrap';
import { freePorts } from '@ragmesh/local-servers';
import type { BusDriver } from '@ragmesh/messaging';
import type { TracingOptions } from '@ragmesh/observability';
import { startStandalone, type Standalone } from '../src/standalone.service.js';
import { ApiClient } from './api-client.js';
import { MeshOracle } from './mesh-oracle.js';

/** A running mesh with a client, and the oracle over its databases. */
export interface Mesh {
  readonly api: ApiClient;
  readonly oracle: MeshOracle;
  readonly bus: BusDriver;
  readonly drivers: Drivers;
  readonly dataDir: string;
  close(): Promise<void>;
}

export interface MeshOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly spanProcessors?: TracingOptions['processors'];
}

export const newDataDir = (): Promise<string> => mkdtemp(join(tmpdir(), 'ragmesh-spec-'));

export const removeDataDir = (dataDir: string): Promise<void> =>
  rm(dataDir, { recursive: true, force: true, maxRetries: 5 });

/** Starts a mesh in this process, on a folder that may hold an earlier one's data. */
export async function startMesh(
  dataDir: string,
  { environment = {}, spanProcessors }: MeshOptions = {},
): Promise<Mesh> {
  const [port] = await freePorts(1);
  let drivers: Drivers | undefined;
  const standalone: Standalone = await startStandalone({
    environment: {
      RAGMESH_DATA_DIR: dataDir,
      SERVER_PORT: String(port),
      APP_EMBEDDINGS_BACKEND: 'mock',
      ...environment,
    },
    wrapDrivers: (given) => (drivers = given),
    ...(spanProcessors ? { spanProcessors } : {}),
  });
  const oracle = new MeshOracle(drivers!, dataDir);
  return {
    api: new ApiClient(standalone.url),
    oracle,
    bus: drivers!.bus,
    drivers: drivers!,
    dataDir,
    close: async () => {
      await oracle.close();
      await standalone.close();
    },
  };
}
