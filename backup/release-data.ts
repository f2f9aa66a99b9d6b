import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { freePorts } from '@ragmesh/local-servers';
import { EmbeddedPostgres } from '@ragmesh/postgres';
import { backup } from './backup.js';
import { openInstallation } from './open-installation.js';
import { ReleaseClient } from './release-client.js';
import { fillRelease } from './release-contents.js';
import { HOLDS, type ReleaseHolds } from './release-holds.js';
import { startStubModel } from './stub-model.js';

const USAGE = 'npm run release-data -- --to FOLDER [--of CHECKOUT]';

/**
 * Makes the data that the upgrade test opens: what a release leaves behind that did something of everything and died in the
 * middle of more, and beside it what the test needs to know of it. Run it on the commit of a release, or with `--of` another
 * built checkout whose standalone is to be started.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { to: { type: 'string' }, of: { type: 'string', default: '.' } } });
  if (!values.to) throw new Error(USAGE);
  const dataDir = await mkdtemp(join(tmpdir(), 'ragmesh-release-'));
  const model = await startStubModel();
  const bootstrapKey = `rgm_first_${randomBytes(32).toString('hex')}`;
  try {
    const [port] = await freePorts(1);
    const child = start(resolve(values.of), {
      RAGMESH_DATA_DIR: dataDir,
      SERVER_PORT: String(port),
      AUTH_MODE: 'keys',
      RAGMESH_BOOTSTRAP_KEY: bootstrapKey,
      APP_EMBEDDINGS_BACKEND: 'mock',
      APP_LLM_BACKEND: 'openai',
      OPENAI_BASE_URL: model.url,
      LM_MODEL: 'stub',
    });
    const ended = once(child, 'exit');
    let holds: ReleaseHolds;
    try {
      holds = await fillRelease(new ReleaseClient(`http://127.0.0.1:${port}`, bootstrapKey));
    } finally {
      child.kill('SIGKILL');
      await ended;
    }
    const installation = await openInstallation({ RAGMESH_DATA_DIR: dataDir });
    await backup(installation, values.to).finally(() => installation.close());
    await writeFile(join(values.to, HOLDS), `${JSON.stringify(holds, undefined, 1)}\n`);
    await EmbeddedPostgres.start(dataDir).then((left) => left.stop()); // the server outlived its ragmesh
  } finally {
    await model.close();
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  }
}

function start(checkout: string, settings: Readonly<Record<string, string>>): ChildProcess {
  return spawn(process.execPath, [join(checkout, 'services/standalone/dist/main.js')], {
    cwd: settings['RAGMESH_DATA_DIR'],
    env: { PATH: process.env['PATH'], ...settings },
    stdio: 'inherit',
  });
}

await main();
