import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { Report } from './report.js';

it('counts the limits that were missed, and keeps of each row whether its limit was met', async () => {
  const root = await mkdtemp(join(tmpdir(), 'ragmesh-bench-'));
  const report = new Report(root, 'some');
  report.add('a', '4 ms', '≤ 5 ms', true);
  report.add('b', '6 ms', '≤ 5 ms', false);
  report.add('c', '7 ms', '–');
  report.add('d', '4 ms', '≤ 5 ms', true);
  expect(await report.finish()).toBe(1);
  expect(JSON.parse(await readFile(join(root, 'bench/results/some.json'), 'utf8'))).toEqual([
    { what: 'a', measured: '4 ms', limit: '≤ 5 ms', met: true },
    { what: 'b', measured: '6 ms', limit: '≤ 5 ms', met: false },
    { what: 'c', measured: '7 ms', limit: '–' },
    { what: 'd', measured: '4 ms', limit: '≤ 5 ms', met: true },
  ]);
  await rm(root, { recursive: true });
});
