import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { RagmeshError } from '@ragmesh/errors';
import { freePorts } from './free-ports.js';
import { KafkaBroker } from './kafka-broker.js';
import { findKafkaJars } from './kafka-jars.js';
import type { BrokerPorts, KafkaCredentials, KafkaTlsFiles } from './kafka-settings.js';

/** Brokers bind their ports seconds after these were found free. */
const START_ATTEMPTS = 3;
const PORTS_PER_BROKER = 4;
const PORT_TAKEN = 'Address already in use';

export interface KafkaServerOptions {
  /** Kept across restarts: topics, records and positions are found again. */
  readonly dataDir: string;
  /** Three keep going when one dies: every topic has three copies, of which two must be in sync. Default 1. */
  readonly brokers?: 1 | 3;
  /** Folder of Kafka's jars; default where `npm run servers` puts them. */
  readonly jars?: string;
  /** Opens a second listener that asks for SASL/PLAIN. */
  readonly sasl?: KafkaCredentials;
  /** Opens a third listener that speaks TLS, to clients with a certificate. */
  readonly tls?: KafkaTlsFiles;
  /** Brokers make every topic that a client names, unless the client asks them not to; by Kafka's default they do, by ours not. */
  readonly createsTopics?: boolean;
  /** Java heap per broker in MiB. Default 384. */
  readonly heapMb?: number;
  /** Called when a broker that had started ends and nobody stopped or killed it here; {@link KafkaServer.revive} starts it again. */
  readonly onExit?: (how: string) => void;
}

/** A Kafka cluster of child processes on loopback, without Docker and without ZooKeeper. */
export class KafkaServer {
  private constructor(
    /** The brokers by their order; broker 1 is `nodes[0]`. */
    readonly nodes: readonly KafkaBroker[],
    private readonly ports: readonly BrokerPorts[],
    private readonly has: { readonly sasl: boolean; readonly tls: boolean },
  ) {}

  /**
   * Formats the data folder where needed and starts the brokers. Resolves once all serve clients.
   * @throws RagmeshError DEPENDENCY.UNAVAILABLE without jars or Java, or when a broker does not start.
   */
  static async start(options: KafkaServerOptions): Promise<KafkaServer> {
    const jars = options.jars ?? findKafkaJars();
    if (!jars) {
      throw new RagmeshError(
        'DEPENDENCY.UNAVAILABLE',
        'Kafka needs Java 17 and its jars; run "npm run servers" first.',
      );
    }
    for (let attempt = 1; ; attempt += 1) {
      const server = await KafkaServer.#onFreePorts(options, jars);
      try {
        await server.#run(clusterId(options.dataDir));
        return server;
      } catch (error) {
        await server.kill();
        if (attempt === START_ATTEMPTS || !String(error).includes(PORT_TAKEN)) throw error;
      }
    }
  }

  static async #onFreePorts(options: KafkaServerOptions, jars: string): Promise<KafkaServer> {
    const count = options.brokers ?? 1;
    const free = await freePorts(count * PORTS_PER_BROKER);
    const ports = Array.from({ length: count }, (_, index): BrokerPorts => {
      const [plain, controller, sasl, tls] = free.slice(index * PORTS_PER_BROKER);
      return { plain: plain!, controller: controller!, sasl: sasl!, tls: tls! };
    });
    const nodes = ports.map((_, index) => {
      const node = index + 1;
      const folder = join(resolve(options.dataDir), `broker-${node}`);
      const { heapMb = 384, sasl: credentials, tls, createsTopics, onExit } = options;
      return new KafkaBroker({ node, folder, ports, jars, heapMb, credentials, tls, createsTopics, onExit });
    });
    return new KafkaServer(nodes, ports, { sasl: options.sasl !== undefined, tls: options.tls !== undefined });
  }

  async #run(id: string): Promise<void> {
    await Promise.all(this.nodes.map((broker) => broker.prepare(id)));
    await this.revive();
  }

  /** Starts the brokers that do not run, on their ports and with their data. Resolves once all serve clients. */
  async revive(): Promise<void> {
    await Promise.all(this.nodes.map((broker) => broker.start()));
  }

  /** `host:port` of every broker, for clients that need no password. */
  get brokers(): string[] {
    return this.ports.map(({ plain }) => `127.0.0.1:${plain}`);
  }

  /** `host:port` of every broker's SASL listener. */
  get saslBrokers(): string[] {
    return this.has.sasl ? this.ports.map(({ sasl }) => `127.0.0.1:${sasl}`) : [];
  }

  /** `host:port` of every broker's TLS listener. */
  get tlsBrokers(): string[] {
    return this.has.tls ? this.ports.map(({ tls }) => `127.0.0.1:${tls}`) : [];
  }

  /** Stops all brokers in order, each of them within 20 seconds. */
  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((broker) => broker.stop()));
  }

  /** Ends all brokers at once, for data that nobody needs again. */
  async kill(): Promise<void> {
    await Promise.all(this.nodes.map((broker) => broker.kill()));
  }
}

/** The same for as long as the folder lives: brokers refuse data of another cluster. */
function clusterId(dataDir: string): string {
  mkdirSync(dataDir, { recursive: true });
  const file = join(dataDir, 'cluster-id');
  // An id that begins with a dash would be read as an option of the tool that formats.
  if (!existsSync(file)) writeFileSync(file, randomBytes(16).toString('base64url').replace(/^-/, 'A'));
  return readFileSync(file, 'utf8');
}
