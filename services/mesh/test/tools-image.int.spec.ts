import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'ragmesh-tools-image-'));
const image = join(folder, 'image');
afterAll(() => rmSync(folder, { recursive: true }));

function run(args: readonly string[], env: NodeJS.ProcessEnv = {}): { status: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: args[0] === 'main.js' ? image : process.cwd(),
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], ...env },
  });
  return { status, said: stdout + stderr };
}

describe('the file tree of the image of tools', () => {
  beforeAll(() => {
    const { status, said } = run(['tools/service-image.mjs', 'tools', '--out', image]);
    expect({ status, said: status === 0 ? '' : said }).toEqual({ status: 0, said: '' });
  });

  it('has all that a backup needs, up to the server that is not there', () => {
    const nowhere = { DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/', S3_BUCKET: 'files' };
    const { status, said } = run(['main.js', 'backup', '--to', join(folder, 'backup')], nowhere);
    expect(said).toMatch(/^ragmesh: .*ECONNREFUSED|database/i);
    expect(status).toBe(1);
  });

  it.each([
    ['topics', /topics -- diff\|apply/],
    ['doctor --mode nonsense', /npm run doctor/],
  ])('starts %s, and says what it takes', (command, usage) => {
    expect(run(['main.js', ...command.split(' ')])).toEqual({ status: 2, said: expect.stringMatching(usage) });
  });
});
