import { peerVariable } from '@ragmesh/bootstrap';
import { serviceNames, type ServiceName } from '@ragmesh/contracts';
import { freePorts } from '@ragmesh/local-servers';
import { EmbeddedPostgres } from '@ragmesh/postgres';
import { ServiceCopy } from './service-copy.js';

type Names = Readonly<Record<string, string>>;

/** Services in processes of their own, each in as many copies as a spec asks for, with nobody who starts them again. */
export class BareMesh {
  readonly #ports = new Map<ServiceName, number[]>();
  readonly #copies: ServiceCopy[] = [];

  private constructor(
    private readonly postgres: EmbeddedPostgres,
    private readonly dataDir: string,
    private readonly settings: Names,
  ) {}

  /** Starts the database and settles where up to `copies` copies of every service will be found. */
  static async open(dataDir: string, settings: Names = {}, copies = 2): Promise<BareMesh> {
    const mesh = new BareMesh(await EmbeddedPostgres.start(dataDir), dataDir, settings);
    for (const service of serviceNames) mesh.#ports.set(service, await freePorts(copies));
    return mesh;
  }

  get databaseUrl(): string {
    return this.postgres.url('');
  }

  /** Starts a copy and waits until it is ready; one that ended is started again under the same number. */
  async start(service: ServiceName, copy = 0, settings: Names = {}): Promise<ServiceCopy> {
    const started = await ServiceCopy.start(service, await this.environment(service, copy, settings));
    this.#copies.push(started);
    return started;
  }

  /** What a copy reads. */
  async environment(service: ServiceName, copy = 0, settings: Names = {}): Promise<Record<string, string>> {
    const [probePort, serverPort] = await freePorts(2);
    return {
      DATABASE_URL: this.databaseUrl,
      MAX_CONNECTIONS: '4',
      RAGMESH_DATA_DIR: this.dataDir,
      SERVICE_AUTH_KEY: 'known-to-the-services-of-this-mesh',
      APP_EMBEDDINGS_BACKEND: 'mock',
      GRPC_PORT: String(this.#ports.get(service)![copy]),
      PROBE_PORT: String(probePort),
      SERVER_PORT: String(serverPort),
      ...Object.fromEntries(serviceNames.map((name) => [peerVariable(name), this.#addressOf(name)])),
      ...this.settings,
      ...settings,
    };
  }

  /** As a name with several addresses would resolve. */
  #addressOf(service: ServiceName): string {
    return `ipv4:${this.#ports
      .get(service)!
      .map((port) => `127.0.0.1:${port}`)
      .join(',')}`;
  }

  async close(): Promise<void> {
    for (const copy of this.#copies) copy.signal('SIGKILL');
    await Promise.all(this.#copies.map((copy) => copy.ended()));
    await this.postgres.stop();
  }
}
