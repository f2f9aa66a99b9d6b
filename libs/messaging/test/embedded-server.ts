import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedPostgres } from '@ragmesh/postgres';

/** A PostgreSQL of its own for one spec file, in a folder that goes with it. */
export class SpecServer {
  private constructor(
    private readonly folder: string,
    readonly postgres: EmbeddedPostgres,
  ) {}

  static async start(): Promise<SpecServer> {
    const folder = await mkdtemp(join(tmpdir(), 'ragmesh-bus-'));
    return new SpecServer(folder, await EmbeddedPostgres.start(folder));
  }

  get busUrl(): string {
    return this.postgres.url('ragmesh_bus');
  }

  async stop(): Promise<void> {
    await this.postgres.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}
