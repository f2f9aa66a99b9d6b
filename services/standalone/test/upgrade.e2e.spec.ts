import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openTarget } from '../../../backup/open-installation.js';
import { restore } from '../../../backup/restore.js';
import { newDataDir, removeDataDir, startMesh, type Mesh } from './mesh-fixture.js';

const folder = fileURLToPath(new URL('releases', import.meta.url));
const releases = readdirSync(folder);

/**
 * Data of earlier releases, each as its own migrations, services and death in the middle of work left it (`npm run release-data`),
 * opened by the services of this one.
 */
describe.each(releases)('the data of release %s', (release) => {
  let dataDir: string;
  let mesh: Mesh;
  beforeAll(async () => {
    dataDir = await newDataDir();
    await restore(`${folder}/${release}`, () => openTarget({ RAGMESH_DATA_DIR: dataDir }));
    mesh = await startMesh(dataDir);
  });
  afterAll(async () => {
    await mesh?.close();
    await removeDataDir(dataDir);
  });

  const found = async (query: string): Promise<string> => {
    const { status, body } = await mesh.api.call('POST', '/v1/search', { query, mode: 'lexical' });
    expect(status).toBe(200);
    return JSON.stringify(body);
  };

  it('is searched as it was: newest versions, and nothing that was deleted', async () => {
    expect(await found('gannets')).toContain('Bass Rock');
    expect(await found('notice period')).toContain('ninety days');
    expect(await found('notice period')).not.toContain('thirty days');
    expect(await found('quokka')).not.toContain('quokka.');
    expect((await mesh.api.call('GET', '/v1/collections/law')).body['title']).toBe('Laws');
  });

  it('goes on where it was: what was on its way arrives, what had failed can be tried again', async () => {
    for (const number of [0, 1, 2, 3]) {
      const { status, error } = await mesh.api.terminal(`pending-${number}`);
      expect({ status, error }).toEqual({ status: 'ready', error: null });
    }
    expect(await found('ptarmigan')).toContain('pending-3');
    expect((await mesh.api.terminal('failed')).status).toBe('failed');
    expect((await mesh.api.call('POST', '/v1/documents/failed/retry')).status).toBe(202);
    expect((await mesh.api.call('PUT', '/v1/documents/plain', { text: 'Puffins nest in burrows.' })).status).toBe(202);
    expect((await mesh.api.terminal('plain')).version).toBe(2);
    expect(await mesh.oracle.violations()).toEqual([]);
  });
});
