import { readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RagmeshError } from '@ragmesh/errors';

/** What events run over: tables of PostgreSQL, a Kafka in the data folder, or the one that KAFKA_BROKERS named. */
export type Bus = 'tables' | 'local-kafka' | 'kafka';

/** What a mesh of one machine runs on, as its data folder remembers it when the mesh has ended. Holds no secret. */
export interface MeshRecord {
  /** The process that started everything; it may have ended since. */
  readonly pid: number;
  readonly edge: { readonly url: string; readonly certificate?: string | undefined };
  /** The PostgreSQL server that DATABASE_URL named, as {@link serverOf} does; absent where it lies in the data folder. */
  readonly database?: string | undefined;
  readonly bus: Bus;
  readonly brokers?: string | undefined;
  /** Address of the Redis that was started here. */
  readonly redis?: string | undefined;
}

/** Where it lies in the data folder. */
export const MESH_RECORD = 'mesh.json';

/** Written by every start, before any service can publish an event. */
export async function keepMeshRecord(dataDir: string, record: MeshRecord): Promise<void> {
  const file = join(dataDir, MESH_RECORD);
  await writeFile(`${file}.new`, `${JSON.stringify(record, null, 1)}\n`, { flush: true });
  await rename(`${file}.new`, file);
}

/**
 * Undefined where no mesh was started, or only by a release that kept no record.
 * @throws RagmeshError CONFIG.DATA_DIR_UNWRITABLE when it is there and cannot be read.
 */
export function readMeshRecord(dataDir: string): MeshRecord | undefined {
  const file = join(dataDir, MESH_RECORD);
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as MeshRecord;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    const what = `${file}, which says what the mesh of this folder runs on, cannot be read (${code ?? message}).`;
    throw new RagmeshError('CONFIG.DATA_DIR_UNWRITABLE', what, {}, { cause: error });
  }
}

/** A server by its host and port, or by its socket; without user and password. */
export function serverOf(url: string): string {
  const { host, searchParams } = new URL(url);
  return searchParams.get('host') ?? host;
}
