import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KafkaServer, type KafkaServerOptions } from '@ragmesh/local-servers';

/** Brokers of their own for one spec file, in a folder that goes with them. */
export class KafkaSpecServer {
  private constructor(
    private readonly folder: string,
    readonly kafka: KafkaServer,
  ) {}

  static async start(options: Omit<KafkaServerOptions, 'dataDir'> = {}): Promise<KafkaSpecServer> {
    const folder = await mkdtemp(join(tmpdir(), 'ragmesh-kafka-'));
    return new KafkaSpecServer(folder, await KafkaServer.start({ dataDir: folder, ...options }));
  }

  async stop(): Promise<void> {
    await this.kafka.kill();
    await rm(this.folder, { recursive: true, force: true });
  }
}
