import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { faultMatrix } from './fault-matrix.js';
import { isProven, modes } from './fault.js';
import { hasTest } from './named-tests.js';
import { readResults, table } from './results.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

describe('the fault matrix', () => {
  it('has rows 1 to 59, each once and in order', () => {
    expect(faultMatrix.map(({ row }) => row)).toEqual(Array.from({ length: 59 }, (_, index) => index + 1));
  });

  it('names specs that exist, and every spec of its own', () => {
    const proofs = faultMatrix.flatMap((fault) => modes.flatMap((mode) => [fault[mode]].filter(isProven).flat()));
    expect(proofs.filter(({ spec }) => !existsSync(root + spec))).toEqual([]);
    expect(proofs.filter(({ tests }) => tests.length === 0)).toEqual([]);
    const named = new Set(proofs.map(({ spec }) => spec));
    const own = readdirSync(here('test')).filter((name) => name.endsWith('.spec.ts'));
    expect(own.filter((name) => !named.has(`faults/test/${name}`))).toEqual([]);
  });

  it('names tests that these specs have', () => {
    const proofs = faultMatrix.flatMap((fault) => modes.flatMap((mode) => [fault[mode]].filter(isProven).flat()));
    const missing = proofs.flatMap(({ spec, tests }) => tests.filter((test) => !hasTest(root + spec, test)));
    expect(missing).toEqual([]);
  });

  it('is what the README shows', () => {
    const readme = readFileSync(here('README.md'), 'utf8');
    const words = (text: string): string => text.replaceAll(/[\s|*_\\-]+/g, ' ');
    expect(words(readme)).toContain(words(table(faultMatrix, readResults(here('results.json')))).trim());
  });
});
