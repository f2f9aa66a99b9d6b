import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';

/**
 * Runs `npm run eval` on a dataset of ../shared/datasets, against the committed baseline and these floors; it checks both itself
 * and exits with 1 below one of them.
 * @param floors as `--min` takes them.
 */
export function qualitySuite(dataset: string, floors: readonly string[], timeoutMs: number): void {
  describe(`retrieval quality on ${dataset}, through HTTP`, () => {
    it(
      'is at its floors and no worse than the baseline, and hybrid is above the better leg',
      () => {
        const minimum = floors.flatMap((floor) => ['--min', floor]);
        // Without names, what the baseline has is measured.
        const gate = ['--gate', 'eval/baseline.json'];
        const flags = ['dist/eval/main.js', `../shared/datasets/${dataset}`, ...minimum, ...gate];
        const run = spawnSync(process.execPath, flags, { encoding: 'utf8' });
        if (run.status !== 0) throw new Error(run.stderr);
        const ndcg = (mode: string): number =>
          Number(new RegExp(`^${mode} +\\d+ +([\\d.]+)`, 'm').exec(run.stdout)![1]);
        expect(ndcg('hybrid')).toBeGreaterThan(Math.max(ndcg('lexical'), ndcg('dense')));
      },
      timeoutMs,
    );
  });
}
