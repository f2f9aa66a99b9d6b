import { peerVariable } from '@ragmesh/bootstrap';
import { serviceNames, type ServiceName } from '@ragmesh/contracts';
import { freePorts } from '@ragmesh/local-servers';
import { ApiClient } from '../../services/standalone/test/api-client.js';
import { ServiceCopy } from '../../services/mesh/test/service-copy.js';
import { startServers, type Servers } from './eight-on-servers.js';

export interface CopiedMeshOptions {
  readonly kafka: boolean;
  /** Most copies of a service at a time. */
  readonly copies: number;
  /** What every process reads beside the addresses. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Services as processes of their own in as many copies as a test asks for, with nobody who starts them again. */
export class CopiedMesh {
  readonly #ports = new Map<ServiceName, number[]>();
  readonly #running = new Set<ServiceCopy>();

  private constructor(
    readonly servers: Servers,
    readonly api: ApiClient,
    private readonly serverPort: number,
    private readonly settings: Readonly<Record<string, string>>,
  ) {}

  static async start({ kafka, copies, settings = {} }: CopiedMeshOptions): Promise<CopiedMesh> {
    const servers = await startServers({ kafka });
    const [serverPort] = await freePorts(1);
    const mesh = new CopiedMesh(servers, new ApiClient(`http://127.0.0.1:${serverPort}`), serverPort!, settings);
    for (const service of serviceNames) mesh.#ports.set(service, await freePorts(copies));
    return mesh;
  }

  /** Starts a copy and waits until it answers calls; one that ended may be started again under the same number. */
  async start(service: ServiceName, copy = 0, settings: Readonly<Record<string, string>> = {}): Promise<ServiceCopy> {
    const [probePort] = await freePorts(1);
    const addresses = serviceNames.map((name) => [peerVariable(name), this.#addressOf(name)]);
    const started = await ServiceCopy.start(service, {
      ...this.servers.environment,
      MAX_CONNECTIONS: '3',
      SERVICE_AUTH_KEY: 'known-to-the-services-of-this-mesh',
      SHUTDOWN_GRACE_SECONDS: '0',
      SHUTDOWN_DEADLINE_SECONDS: '5',
      GRPC_PORT: String(this.#ports.get(service)![copy]),
      PROBE_PORT: String(probePort),
      SERVER_PORT: String(this.serverPort),
      ...Object.fromEntries(addresses),
      ...this.settings,
      ...settings,
    });
    this.#running.add(started);
    return started;
  }

  /** Ends a copy: in order, or at once. */
  async end(copy: ServiceCopy, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    copy.signal(signal);
    await copy.ended();
    this.#running.delete(copy);
  }

  async close(): Promise<void> {
    for (const copy of this.#running) {
      copy.signal('SIGCONT'); // one that is still frozen dies all the same, and its end is seen
      copy.signal('SIGKILL');
    }
    await Promise.all([...this.#running].map((copy) => copy.ended()));
    await this.servers.stop();
  }

  /** As a name with several addresses would resolve. */
  #addressOf(service: ServiceName): string {
    const ports = this.#ports.get(service)!;
    return `ipv4:${ports.map((port) => `127.0.0.1:${port}`).join(',')}`;
  }
}
