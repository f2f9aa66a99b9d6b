import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrateService } from '@ragmesh/bootstrap';
import { Database, EmbeddedPostgres, createPool } from '@ragmesh/postgres';
import { documentService } from '../src/document.service.js';

/** The document service's database, as the service makes it, without the service. */
export interface DocumentDatabase {
  readonly database: Database;
  /** Of the same database, for a process of its own. */
  readonly url: string;
  /** Where the server keeps its data, with room for what else a spec keeps. */
  readonly folder: string;
  /** Ends the server and removes the folder. */
  stop(): Promise<void>;
}

export async function startDocumentDatabase(): Promise<DocumentDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'ragmesh-document-'));
  const server = await EmbeddedPostgres.start(folder);
  const url = server.url('ragmesh_document');
  await migrateService(documentService, url);
  const database = new Database(createPool(url));
  return {
    database,
    url,
    folder,
    stop: async () => {
      await database.close();
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
