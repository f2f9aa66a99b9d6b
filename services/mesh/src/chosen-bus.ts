import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { RagmeshError } from '@ragmesh/errors';
import type { MeshConfig } from './mesh.config.js';
import { MESH_RECORD, readMeshRecord, type Bus } from './mesh-record.js';

/** What events run over, and what a person should know about it. */
export interface ChosenBus {
  readonly bus: Bus;
  /** Whether it was so before, whatever is found on this machine now. */
  readonly isKept: boolean;
  /** Whether the folder has data and no record of what it ran on: it was restored, or is of an earlier release. */
  readonly isGuessed: boolean;
  /** Said when an explicit setting moved it. */
  readonly moved?: string;
}

const names: Readonly<Record<Bus, string>> = {
  tables: 'tables in PostgreSQL',
  'local-kafka': 'the Kafka in the data folder',
  kafka: 'the Kafka that KAFKA_BROKERS named',
};

/**
 * The first start in a data folder takes the best that is there. Later ones keep it: events that nobody has read yet lie there,
 * and nobody would read them after a move. Only a setting moves it.
 * @param isKafkaFound whether one can be started here; asked only when it matters.
 * @throws RagmeshError CONFIG.INVALID or DEPENDENCY.UNAVAILABLE when what it ran over is out of reach.
 */
export function chooseBus(config: MeshConfig, dataDir: string, isKafkaFound: () => boolean): ChosenBus {
  const before = busBefore(dataDir);
  const isGuessed = before !== undefined && readMeshRecord(dataDir) === undefined;
  const to = (bus: Bus): ChosenBus =>
    before === undefined || before === bus
      ? { bus, isKept: before === bus, isGuessed }
      : { bus, isKept: false, isGuessed, moved: moved(before, bus) };
  if (config.KAFKA_BROKERS) return to('kafka');
  if (before === 'tables') return to('tables');
  if (before === 'kafka') throw unnamed(dataDir);
  if (!config.MESH_LOCAL_SERVERS) return to('tables');
  if (isKafkaFound()) return to('local-kafka');
  if (before === 'local-kafka') throw unstartable(dataDir);
  return to('tables');
}

/** Of a folder without a record, which is of an earlier release or was restored, its servers tell. */
function busBefore(dataDir: string): Bus | undefined {
  const record = readMeshRecord(dataDir);
  if (record) return record.bus;
  if (existsSync(join(dataDir, 'kafka'))) return 'local-kafka';
  return existsSync(join(dataDir, 'postgres')) ? 'tables' : undefined;
}

const moved = (before: Bus, now: Bus): string =>
  `Events ran over ${names[before]} before and run over ${names[now]} now, because a setting says so; what nobody had read there stays unread`;

const unnamed = (dataDir: string): RagmeshError =>
  new RagmeshError(
    'CONFIG.INVALID',
    `Events of ${dataDir} run over ${readMeshRecord(dataDir)?.brokers ?? 'a Kafka elsewhere'}: set KAFKA_BROKERS to it. To change that, start with an empty RAGMESH_DATA_DIR, or remove ${join(dataDir, MESH_RECORD)} once every event there has been read.`,
  );

const unstartable = (dataDir: string): RagmeshError =>
  new RagmeshError(
    'DEPENDENCY.UNAVAILABLE',
    `Events of ${dataDir} run over the Kafka in it, which cannot be started: put Java 17 on the PATH and run "npm run servers kafka". To change that, start with an empty RAGMESH_DATA_DIR, or set MESH_LOCAL_SERVERS=false once every event there has been read.`,
  );
