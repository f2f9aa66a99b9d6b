import { execFile } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openTarget } from '../../../backup/open-installation.js';
import { HOLDS, type ReleaseHolds } from '../../../backup/release-holds.js';
import { restore } from '../../../backup/restore.js';
import { ApiClient } from './api-client.js';
import { newDataDir, removeDataDir, startMesh, type Mesh } from './mesh-fixture.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const folder = fileURLToPath(new URL('releases', import.meta.url));

/** Data of this release are made anew each time: what the next one is to open, this one opens already. */
const PRESENT = 'that is being made';
const releases = [...readdirSync(folder), PRESENT];

async function makeData(to: string): Promise<void> {
  await promisify(execFile)(process.execPath, ['dist/backup/release-data.js', '--to', to], { cwd: root });
}

/** What there is besides documents; the first release had no keys and only those. */
function holdsOf(data: string): ReleaseHolds | undefined {
  const file = join(data, HOLDS);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as ReleaseHolds) : undefined;
}

/**
 * Data of earlier releases, each as its own migrations, services and death in the middle of work left it (`npm run release-data`),
 * opened by the services of this one.
 */
describe.each(releases)('the data of release %s', (release) => {
  let dataDir: string;
  let mesh: Mesh;
  let api: ApiClient;
  let made: string | undefined;
  let holds: ReleaseHolds | undefined;
  beforeAll(async () => {
    dataDir = await newDataDir();
    let data = join(folder, release);
    if (release === PRESENT) {
      made = await newDataDir();
      await makeData((data = join(made, 'data')));
    }
    holds = holdsOf(data);
    await restore(data, () => openTarget({ RAGMESH_DATA_DIR: dataDir }));
    mesh = await startMesh(dataDir, { environment: { AUTH_MODE: holds ? 'keys' : 'off' } });
    api = as(holds?.key);
  });
  afterAll(async () => {
    await mesh?.close();
    await removeDataDir(dataDir);
    if (made) await removeDataDir(made);
  });

  const as = (key: string | undefined): ApiClient => new ApiClient(mesh.api.url, key);
  const found = async (query: string, more: object = {}, client = api): Promise<string> => {
    const { status, body } = await client.call('POST', '/v1/search', { query, mode: 'lexical', ...more });
    expect(status).toBe(200);
    return JSON.stringify(body);
  };

  it('is searched as it was: newest versions, and nothing that was deleted', async () => {
    expect(await found('gannets')).toContain('Bass Rock');
    expect(await found('notice period')).toContain('ninety days');
    expect(await found('notice period')).not.toContain('thirty days');
    expect(await found('quokka')).not.toContain('quokka.');
    expect((await api.call('GET', '/v1/collections/law')).body['title']).toBe('Laws');
  });

  it('goes on where it was: what was on its way arrives, what had failed can be tried again', async () => {
    for (const number of [0, 1, 2, 3]) {
      const { status, error } = await api.terminal(`pending-${number}`);
      expect({ status, error }).toEqual({ status: 'ready', error: null });
    }
    expect(await found('ptarmigan')).toContain('pending-3');
    expect((await api.terminal('failed')).status).toBe('failed');
    expect((await api.call('POST', '/v1/documents/failed/retry')).status).toBe(202);
    expect((await api.call('PUT', '/v1/documents/plain', { text: 'Puffins nest in burrows.' })).status).toBe(202);
    expect((await api.terminal('plain')).version).toBe(2);
    expect(await mesh.oracle.violations()).toEqual([]);
  });

  if (release !== '0.1.0')
    it('has what was kept beside documents, and its keys open what they opened', async () => {
      const { listedKey, otherKey, turns, judgedRequest, usage } = holds!;
      const list = async (path: string) => (await api.call('GET', path)).body['data'];
      expect((await api.call('GET', '/v1/conversations/talk')).body['messages']).toMatchObject(
        turns.map((text) => ({ text })),
      );
      const judgement = { request_id: judgedRequest, rating: 'up', comment: 'So they do.' };
      expect(await list('/v1/feedback')).toMatchObject([judgement]);
      expect(await list('/v1/admin/usage?since=2026-01-01T00:00:00Z')).toContainEqual(usage);
      expect(await list('/v1/admin/audit')).toContainEqual(expect.objectContaining({ target: 'sealed', status: 200 }));
      expect(await found('otter', { collection: 'sealed' }, as(listedKey))).toContain('under the pier');
      expect(await found('otter', { collection: 'sealed' }, as(otherKey))).not.toContain('pier');
      expect((await as(otherKey).call('GET', '/v1/admin/usage')).status).toBe(403);
      expect((await as(`${otherKey.slice(0, -4)}0000`).call('GET', '/v1/documents')).status).toBe(401);
    });
});
