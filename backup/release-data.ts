import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { freePorts } from '@ragmesh/local-servers';
import { EmbeddedPostgres } from '@ragmesh/postgres';
import { backup } from './backup.js';
import { openInstallation } from './open-installation.js';

const USAGE = 'npm run release-data -- --to FOLDER [--of CHECKOUT]';
const READY_WITHIN_MS = 60_000;

/**
 * Makes the data that the upgrade test opens: what a release leaves behind that did something of everything and died in the
 * middle of more. Run it on the commit of a release, or with `--of` another built checkout whose standalone is to be started.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { to: { type: 'string' }, of: { type: 'string', default: '.' } } });
  if (!values.to) throw new Error(USAGE);
  const dataDir = await mkdtemp(join(tmpdir(), 'ragmesh-release-'));
  try {
    const [port] = await freePorts(1);
    const child = start(resolve(values.of), dataDir, port!);
    await fill(`http://127.0.0.1:${port}`);
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    const installation = await openInstallation({ RAGMESH_DATA_DIR: dataDir });
    await backup(installation, values.to).finally(() => installation.close());
    await EmbeddedPostgres.start(dataDir).then((left) => left.stop()); // the server outlived its ragmesh
  } finally {
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  }
}

function start(checkout: string, dataDir: string, port: number): ChildProcess {
  const env = {
    PATH: process.env['PATH'],
    RAGMESH_DATA_DIR: dataDir,
    SERVER_PORT: String(port),
    APP_EMBEDDINGS_BACKEND: 'mock',
  };
  return spawn(process.execPath, [join(checkout, 'services/standalone/dist/main.js')], {
    cwd: dataDir,
    env,
    stdio: 'inherit',
  });
}

/** The documents of the test, by what has become of each; see services/standalone/test/upgrade.e2e.spec.ts. */
async function fill(url: string): Promise<void> {
  const call = async (method: string, path: string, body?: object): Promise<Record<string, unknown>> => {
    const init = {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    };
    const response = await fetch(`${url}/v1${path}`, init);
    return (await response.json().catch(() => ({}))) as Record<string, unknown>;
  };
  const until = async (id: string, status: string): Promise<void> => {
    while ((await call('GET', `/documents/${id}?wait=5`))['status'] !== status) await delay(100);
  };
  const deadline = performance.now() + READY_WITHIN_MS;
  // Nobody answers before it listens; the deadline tells of one that never does.
  while (!(await fetch(`${url}/readyz`).catch(() => undefined))?.ok) {
    if (performance.now() > deadline) throw new Error('The release did not start.');
    await delay(100);
  }
  await call('PUT', '/documents/plain', { text: 'Gannets nest on the cliffs of Bass Rock.' });
  await call('PUT', '/documents/replaced', { text: 'The notice period is thirty days.' });
  await until('plain', 'ready');
  await until('replaced', 'ready');
  await call('PUT', '/documents/replaced', { text: 'The notice period is ninety days.', metadata: { year: 2026 } });
  await call('PUT', '/documents/gone', { text: 'Nobody shall find the word quokka.' });
  await until('gone', 'ready');
  await call('DELETE', '/documents/gone');
  const form = new FormData();
  form.append('id', 'failed');
  form.append('file', new Blob(['%PDF-1.4 and nothing of one']), 'failed.pdf');
  await fetch(`${url}/v1/documents`, { method: 'POST', body: form });
  while (['ready', 'deleting'].includes(String((await call('GET', '/documents/gone'))['status']))) await delay(100);
  await until('replaced', 'ready');
  await until('failed', 'failed');
  await call('POST', '/collections', { id: 'law', title: 'Laws' });
  await Promise.all(
    [0, 1, 2, 3].map((number) =>
      call('PUT', `/documents/pending-${number}`, { text: `Ptarmigan number ${number} turns white in winter.` }),
    ),
  );
}

await main();
