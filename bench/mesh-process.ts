import { execFileSync, spawn, type ChildProcessByStdio } from 'node:child_process';
import { on, once } from 'node:events';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { ServiceName } from '@ragmesh/contracts';
import { freePorts } from '@ragmesh/local-servers';

const READY_WITHIN_MS = 180_000;

export interface MeshProcess {
  readonly url: string;
  /** Process id of a service, as the system lists it now. */
  pidOf(service: ServiceName): number;
  stop(): Promise<void>;
}

/** `npm run mesh` of its own, on given brokers. */
export async function startMeshProcess(
  root: string,
  { dataDir, brokers }: { readonly dataDir: string; readonly brokers: readonly string[] },
): Promise<MeshProcess> {
  const [port] = await freePorts(1);
  const env = {
    ...process.env,
    RAGMESH_DATA_DIR: dataDir,
    SERVER_PORT: String(port),
    KAFKA_BROKERS: brokers.join(','),
    KAFKA_SESSION_TIMEOUT: '3s',
    CACHE_TTL_SECONDS: '0',
    LOG_LEVEL: 'warn',
  };
  const child = spawn(process.execPath, [join(root, 'services/mesh/dist/main.js')], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = `http://127.0.0.1:${port}`;
  await told(child, url);
  return {
    url,
    pidOf: (service) => {
      const entry = join(root, 'services', service, 'dist/main.js');
      return Number(execFileSync('pgrep', ['-n', '-P', String(child.pid), '-f', entry], { encoding: 'utf8' }));
    },
    stop: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Resolves when the mesh tells its address: then all eight services answer and take events. */
async function told(child: ChildProcessByStdio<null, Readable, null>, url: string): Promise<void> {
  const late = AbortSignal.timeout(READY_WITHIN_MS);
  for await (const [output] of on(child.stdout, 'data', { signal: late, close: ['close'] })) {
    if (String(output).includes(url)) return void child.stdout.resume();
  }
  throw new Error('The mesh ended before it was ready.');
}
