import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';

/** Floors that `npm run eval` checks itself; it exits with 1 below one of them. */
const floors = ['lexical.ndcg@10=.385', 'dense.ndcg@10=.38', 'hybrid.ndcg@10=.42'];

describe('retrieval quality on Cranfield, through HTTP', () => {
  it('is at its floors and no worse than the baseline, and hybrid is above the better leg', () => {
    const minimum = floors.flatMap((floor) => ['--min', floor]);
    const gate = ['--gate', 'eval/baseline.json', '--configurations', 'lexical,dense,hybrid'];
    const flags = ['dist/eval/main.js', '../shared/datasets/cranfield', ...minimum, ...gate];
    const run = spawnSync(process.execPath, flags, { encoding: 'utf8' });
    if (run.status !== 0) throw new Error(run.stderr);
    const ndcg = (mode: string): number => Number(new RegExp(`^${mode} +\\d+ +([\\d.]+)`, 'm').exec(run.stdout)![1]);
    expect(ndcg('hybrid')).toBeGreaterThan(Math.max(ndcg('lexical'), ndcg('dense')));
  }, 300_000);
});
