import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';

const folder = mkdtempSync(join(tmpdir(), 'ragmesh-every-check-'));
afterAll(() => rmSync(folder, { recursive: true }));

const script = readFileSync('.ci/run', 'utf8');
const needed = [...script.matchAll(/^need (\S+)/gm)].map(([, program]) => program!);

/** Runs `.ci/run` on a machine that has these programs, each a line of shell, and every other one that it needs. */
function runWith(programs: Readonly<Record<string, string>>): { status: number | null; said: string } {
  const bin = mkdtempSync(join(folder, 'bin-'));
  for (const name of [...needed, 'apt-get', 'node']) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${programs[name] ?? 'exit 0'}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  mkdirSync(join(bin, '.ci'));
  copyFileSync('.ci/run', join(bin, '.ci/run'));
  const env = { PATH: `${bin}:/usr/bin:/bin` };
  const { status, stdout, stderr } = spawnSync('bash', [join(bin, '.ci/run')], { encoding: 'utf8', env });
  return { status, said: stdout + stderr };
}

describe('.ci/run', () => {
  it('runs the suites though a server could not be had, and says so', () => {
    const { status, said } = runWith({ node: 'echo "helm needs Go 1.26"; exit 1', npm: 'echo "npm $*"; exit 3' });
    expect(said).toMatch(/helm needs Go 1\.26\n[^]*count as failed/);
    expect(said).toContain('npm test -- --fail-on-skip');
    expect(status).toBe(3); // as the suites end
  });

  it('names what has to be there before it, as the tools ask for it', () => {
    const helm = readFileSync('tools/servers/helm.mjs', 'utf8');
    for (const [, requirement] of helm.matchAll(/helm needs (\w+ [\d.]+ or newer)/g))
      expect(script).toContain(requirement);
    expect(script).not.toContain('fresh');
  });
});
