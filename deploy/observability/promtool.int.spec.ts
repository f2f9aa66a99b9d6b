import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describeWithServer } from '@ragmesh/testing';
import { stringify } from 'yaml';
import { dashboards, expressionsOf, testFiles } from './committed-files.js';

const run = promisify(execFile);

/** What promtool says; a failure is part of it. */
async function promtool(...options: string[]): Promise<string> {
  const { stdout, stderr } = await run('promtool', options).catch((failure: unknown) => {
    return failure as { stdout: string; stderr: string };
  });
  return `${stdout}${stderr}`;
}

describeWithServer('promtool', 'Prometheus itself', () => {
  let folder: string;
  beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'ragmesh-promtool-'))));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('takes the configuration with its rules', async () => {
    const said = await promtool('check', 'config', 'deploy/prometheus/prometheus.yml');
    expect(said).toMatch(/5 rule files found/);
    expect(said).not.toMatch(/FAILED/);
  });

  it.each(testFiles)('has alerts fire and stay silent as %s says', async (path) => {
    expect(await promtool('test', 'rules', path)).toMatch(/^Unit Testing: .*\n\s+SUCCESS\s*$/);
  });

  it('can read every query of every dashboard', async () => {
    const queries = dashboards.flatMap(({ uid, panels }) => expressionsOf({ uid, panels } as never));
    const rules = queries.map((expr, index) => ({
      record: `query${index}`,
      expr: expr.replaceAll(/\$__\w+/g, '5m').replaceAll('$service', '.*'),
    }));
    const file = join(folder, 'queries.yml');
    writeFileSync(file, stringify({ groups: [{ name: 'queries', rules }] }));
    expect(await promtool('check', 'rules', file)).toContain(`SUCCESS: ${queries.length} rules found`);
  });
});
