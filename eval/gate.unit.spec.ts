import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parseConfigurations } from './configurations.js';
import { drops, readBaseline, updateBaseline, withReports } from './gate.js';
import type { ModeReport } from './report.js';

const report = (mode: string, ndcg: number): ModeReport => ({
  mode,
  queries: 10,
  'ndcg@10': ndcg,
  map: 0.3,
  'recall@100': 0.9,
  p50_ms: 1,
});
const baseline = withReports({ tolerance: 0.005, datasets: {} }, 'cranfield', [
  report('hybrid', 0.42),
  report('dense', 0.4),
]);

describe('the gate', () => {
  it('lets through what is as good, better, or lower within the tolerance', () => {
    const reports = [report('hybrid', 0.4151), report('dense', 0.5)];
    expect(drops(baseline, 'cranfield', reports, ['hybrid', 'dense'])).toEqual([]);
  });

  it('names dataset, configuration, metric and drop', () => {
    const reports = [report('hybrid', 0.41), report('dense', 0.4)];
    expect(drops(baseline, 'cranfield', reports, ['hybrid', 'dense'])).toEqual([
      'cranfield hybrid ndcg@10 dropped by 0.0100, from 0.4200 to 0.4100; 0.005 is tolerated.',
    ]);
  });

  it('is not passed by not measuring, or by measuring what nobody knows', () => {
    expect(drops(baseline, 'cranfield', [report('hybrid', 0.42)], ['hybrid', 'dense', 'mmr'])).toEqual([
      'cranfield dense was not measured.',
      'The baseline of cranfield has no configuration mmr.',
    ]);
    expect(drops(baseline, 'scifact', [report('hybrid', 0.42)], ['hybrid'])).toEqual([
      'The baseline has no dataset scifact.',
    ]);
  });

  it('keeps its tolerance and what was not measured when a baseline is written anew', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ragmesh-gate-'));
    const file = join(folder, 'baseline.json');
    await updateBaseline(file, 'cranfield', [report('hybrid', 0.42), report('dense', 0.4)]);
    expect(await readBaseline(file)).toEqual(baseline);
    await updateBaseline(file, 'cranfield', [report('hybrid', 0.45678)]);
    const { datasets } = await readBaseline(file);
    expect(datasets['cranfield']).toMatchObject({ hybrid: { 'ndcg@10': 0.4568 }, dense: { 'ndcg@10': 0.4 } });
    expect(await readFile(file, 'utf8')).toMatch(/\n$/);
    await rm(folder, { recursive: true });
  });
});

describe('configurations', () => {
  it('are known by name, or given as fields of a search', () => {
    expect(parseConfigurations(['lexical', 'rrf'], ['light={"mode":"hybrid","alpha":0.3}'])).toEqual([
      { name: 'lexical', fields: { mode: 'lexical' } },
      { name: 'rrf', fields: { mode: 'hybrid', fusion: 'rrf' } },
      { name: 'light', fields: { mode: 'hybrid', alpha: 0.3 } },
    ]);
    expect(() => parseConfigurations(['lexical', 'best'])).toThrow(/no configuration best; known are lexical/);
    expect(() => parseConfigurations(['lexical'], ['light=0.3'])).toThrow(/--with light=0\.3/);
  });
});
