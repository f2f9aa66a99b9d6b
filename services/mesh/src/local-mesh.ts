import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { defineConfig, loadConfig, secretFileName, type Environment } from '@ragmesh/config';
import { RagmeshError } from '@ragmesh/errors';
import { attachEmbedded, isAlive } from '@ragmesh/postgres';
import { meshConfig } from './mesh.config.js';
import { readMeshRecord, serverOf, type MeshRecord } from './mesh-record.js';

/** Where `npm run mesh` and `npm start` keep things unless they are told. */
const MESH_FOLDER = '.ragmesh-mesh';
const STANDALONE_FOLDER = '.ragmesh';

/** A mesh that `npm run mesh` started on this machine, as who looks at it from outside needs it. */
export interface LocalMesh {
  readonly dataDir: string;
  readonly record: MeshRecord;
  /** Its own servers end with it. */
  readonly isRunning: boolean;
  /** The environment with the addresses that it gives its services; of servers of its own only while they run. */
  readonly environment: Environment;
}

/**
 * The local mesh that an environment means: by its data folder, or by being the only ragmesh below this folder.
 * @param mode as asked for; by default what RAGMESH_MODE says, if anything.
 * @returns undefined where it means a standalone ragmesh, or a mesh that is told by its variables.
 * @throws RagmeshError CONFIG.INVALID where it is unclear what is meant, or a variable is missing without which half is out of sight.
 */
export function localMesh(environment: Environment, mode = environment['RAGMESH_MODE']): LocalMesh | undefined {
  if (mode === 'standalone') return undefined;
  const folder = meantFolder(environment, mode);
  const dataDir = resolve(folder);
  const record = readMeshRecord(dataDir);
  if (isGiven(environment, 'DATABASE_URL')) return meshAt(environment, dataDir, record);
  if (record) return meshIn(environment, dataDir, record);
  requireNoKafka(environment);
  if (existsSync(join(dataDir, 'kafka')) || (folder === MESH_FOLDER && existsSync(join(dataDir, 'postgres'))))
    throw unclear(
      `A mesh of an earlier release ran in ${dataDir}, and what it runs on is not known: start it with npm run mesh first.`,
    );
  return undefined;
}

/** A database may have another mesh by now: one that nobody named counts only while it runs, and on what the variables say. */
function meshAt(environment: Environment, dataDir: string, record: MeshRecord | undefined): LocalMesh | undefined {
  if (record?.database === undefined || record.database !== databaseServer(environment)) return undefined;
  const mesh = describe(environment, dataDir, record);
  const isMeant = environment['RAGMESH_DATA_DIR'] || (mesh.isRunning && !isElsewhere(environment, record));
  return isMeant ? mesh : undefined;
}

function meshIn(environment: Environment, dataDir: string, record: MeshRecord): LocalMesh {
  if (record.database) throw unclear(`The mesh of ${dataDir} keeps its data at ${record.database}: set DATABASE_URL.`);
  if (isElsewhere(environment, record))
    throw unclear(`The mesh of ${dataDir} has its events in ${record.bus}, not at KAFKA_BROKERS: unset it.`);
  return describe(environment, dataDir, record);
}

/** @throws RagmeshError CONFIG.INVALID where there are brokers and no database: events would be left out of sight. */
export function requireNoKafka(environment: Environment): void {
  if (environment['RAGMESH_MODE'] === 'standalone') return;
  if (environment['KAFKA_BROKERS'] && !isGiven(environment, 'DATABASE_URL'))
    throw unclear(
      'KAFKA_BROKERS is set and DATABASE_URL is not: set both for a mesh, RAGMESH_DATA_DIR for one of npm run mesh, or RAGMESH_MODE=standalone.',
    );
}

function meantFolder(environment: Environment, mode: string | undefined): string {
  const named = environment['RAGMESH_DATA_DIR'];
  if (named) return named;
  const isMeshThere = existsSync(MESH_FOLDER);
  if (mode === 'mesh' || isGiven(environment, 'DATABASE_URL')) return MESH_FOLDER;
  if (!isMeshThere || !existsSync(join(STANDALONE_FOLDER, 'postgres')))
    return isMeshThere ? MESH_FOLDER : STANDALONE_FOLDER;
  const record = readMeshRecord(MESH_FOLDER);
  const isMeshRunning = record !== undefined && isAlive(record.pid);
  if (isMeshRunning === (attachEmbedded(STANDALONE_FOLDER) !== undefined))
    throw unclear(
      `Here are a standalone ragmesh (${STANDALONE_FOLDER}) and a mesh (${MESH_FOLDER}): set RAGMESH_DATA_DIR to the one you mean.`,
    );
  return isMeshRunning ? MESH_FOLDER : STANDALONE_FOLDER;
}

function describe(environment: Environment, dataDir: string, record: MeshRecord): LocalMesh {
  const database = record.database ? undefined : attachEmbedded(dataDir)?.('');
  const isRunning = isAlive(record.pid) && (record.database !== undefined || database !== undefined);
  const found: Environment = {
    KAFKA_BROKERS: brokersOf(record, environment, isRunning),
    ...(isRunning && record.redis && !isGiven(environment, 'REDIS_URL') ? { REDIS_URL: record.redis } : {}),
    ...(database ? { DATABASE_URL: database } : {}),
  };
  return { dataDir, record, isRunning, environment: { ...environment, RAGMESH_DATA_DIR: dataDir, ...found } };
}

const isElsewhere = (environment: Environment, { bus }: MeshRecord): boolean =>
  Boolean(environment['KAFKA_BROKERS']) && bus !== 'kafka';

/** Where its events are, whatever the environment says of those of the next start. */
function brokersOf({ bus, brokers }: MeshRecord, environment: Environment, isRunning: boolean): string | undefined {
  if (bus === 'kafka') return environment['KAFKA_BROKERS'] || brokers;
  return bus === 'local-kafka' && isRunning ? brokers : undefined;
}

const isGiven = (environment: Environment, name: string): boolean =>
  Boolean(environment[name] || environment[secretFileName(name)]);

/** Undefined where the variable is wrong, which is for others to say. */
function databaseServer(environment: Environment): string | undefined {
  const { DATABASE_URL } = meshConfig.variables;
  try {
    const config = loadConfig(defineConfig({ DATABASE_URL }), environment);
    return config.DATABASE_URL && serverOf(config.DATABASE_URL);
  } catch {
    return undefined;
  }
}

const unclear = (sentence: string): RagmeshError => new RagmeshError('CONFIG.INVALID', sentence);
