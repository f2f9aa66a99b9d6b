import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import type pg from 'pg';
import type { SchemaEngine } from '@prisma/schema-engine-wasm';
import type { Migration } from './migrate.js';
import { createPool } from './pool.js';

/** The generated glue between JavaScript and the engine's WebAssembly, plus what it does not declare. */
interface EngineGlue {
  readonly SchemaEngine: typeof SchemaEngine;
  __wbg_set_wasm(exports: WasmExports): void;
}

/** The part of the global that is used here; TypeScript declares it for browsers only. */
declare const WebAssembly: {
  compile(bytes: Uint8Array): Promise<object>;
  instantiate(module: object, imports: Record<string, object>): Promise<{ exports: WasmExports }>;
};

interface WasmExports {
  __wbindgen_start(): void;
}

let loaded: Promise<typeof SchemaEngine> | undefined;

/** Node cannot import the package's entry: it imports the `.wasm` file as a module. So it is instantiated by hand. */
async function loadSchemaEngine(): Promise<typeof SchemaEngine> {
  const folder = dirname(createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg'));
  const glue = (await import('@prisma/schema-engine-wasm/schema_engine_bg')) as unknown as EngineGlue;
  const module = await WebAssembly.compile(await readFile(join(folder, 'schema_engine_bg.wasm')));
  const instance = await WebAssembly.instantiate(module, {
    './schema_engine_bg.js': glue,
  });
  glue.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
  return glue.SchemaEngine;
}

const emptySchema = 'datasource db { provider = "postgresql" }';

/** Prisma's adapter cuts scripts at every semicolon, also in comments and strings; PostgreSQL knows where statements end. */
function wholeScripts(factory: PrismaPg, pool: pg.Pool): PrismaPg {
  const connect = factory.connect.bind(factory);
  factory.connect = async () => {
    const adapter = await connect();
    adapter.executeScript = async (script) => void (await pool.query(script));
    return adapter;
  };
  return factory;
}

/** @returns the names of the migrations that Prisma's schema engine applied. */
export async function applyWithSchemaEngine(url: string, migrations: readonly Migration[]): Promise<string[]> {
  loaded ??= loadSchemaEngine();
  const Engine = await loaded;
  const pool = createPool(url, { max: 2, applicationName: 'ragmesh-migrate', statementTimeoutMs: 0 });
  const adapter = bindMigrationAwareSqlAdapterFactory(wholeScripts(new PrismaPg(pool), pool));
  const engine = await Engine.new({ datamodels: [['schema.prisma', emptySchema]] }, () => undefined, adapter);
  try {
    const { appliedMigrationNames } = await engine.applyMigrations({
      migrationsList: {
        baseDir: '.', // the files' contents are given below
        lockfile: { path: 'migration_lock.toml', content: 'provider = "postgresql"\n' },
        shadowDbInitScript: '',
        migrationDirectories: migrations.map(({ name, sql }) => ({
          path: name,
          migrationFile: { path: 'migration.sql', content: { tag: 'ok', value: sql } },
        })),
      },
      filters: { externalTables: [], externalEnums: [] },
    });
    return appliedMigrationNames;
  } finally {
    engine.free();
    await pool.end();
  }
}
