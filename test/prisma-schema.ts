import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import type { SchemaEngine } from '@prisma/schema-engine-wasm';

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
  const instance = await WebAssembly.instantiate(module, { './schema_engine_bg.js': glue });
  glue.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
  return glue.SchemaEngine;
}

/** @returns the SQL that makes an empty database what a `schema.prisma` says, by Prisma's own engine, which looks at `url` first. */
export async function sqlOfSchema(content: string, url: string): Promise<string> {
  loaded ??= loadSchemaEngine();
  const Engine = await loaded;
  const adapter = bindMigrationAwareSqlAdapterFactory(new PrismaPg({ connectionString: url }));
  const engine = await Engine.new({ datamodels: [['schema.prisma', content]] }, () => undefined, adapter);
  try {
    const { stdout } = await engine.diff({
      from: { tag: 'empty' },
      to: { tag: 'schemaDatamodel', files: [{ path: 'schema.prisma', content }] },
      script: true,
      exitCode: false,
      filters: { externalTables: [], externalEnums: [] },
    });
    return stdout ?? '';
  } finally {
    engine.free();
  }
}
