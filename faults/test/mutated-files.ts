import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { errorCatalogue, isRagmeshError } from '@ragmesh/errors';
import { ParserProcesses } from '../../services/document/src/adapters/parser/parser-process.js';
import { mutatedFile } from './mutated-file.js';

/** Half a minute at the most for any file; a loop ends here, and is told from slowness by the size of the files. */
const limits = { timeoutMs: 30_000, memoryBytes: 512 * 1024 * 1024 };
const splitting = { chunkSize: 200, overlap: 20 };

/** How a file may end that cannot be read: told of by a code, and not by the end of the process that reads it. */
const refusals = new Set(
  ['CORRUPT', 'EMPTY', 'ENCRYPTED', 'NO_TEXT', 'UNSUPPORTED', 'LIMIT_EXCEEDED'].map((name) => `DOCUMENT.${name}`),
);

/** Reads files of `seeds` through the child processes, as the document service does. */
export function describeMutatedFiles(seeds: readonly number[]): void {
  describe(`${seeds.length} real files with bytes changed`, () => {
    let folder: string;
    let parsers: ParserProcesses;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'ragmesh-mutated-'));
      parsers = new ParserProcesses(limits);
    });
    afterAll(async () => {
      await parsers.close();
      await rm(folder, { recursive: true, force: true });
    });

    async function outcome(seed: number): Promise<string> {
      const { name, bytes } = mutatedFile(seed);
      const path = join(folder, `${seed}-${name}`);
      await writeFile(path, bytes);
      try {
        const result = await parsers.parse({ path, fileName: name, outputPath: `${path}.text`, splitting });
        let chunks = 0;
        for await (const { text } of result.chunks) {
          expect(text.isWellFormed() && text.length > 0).toBe(true);
          chunks += 1;
        }
        return chunks === result.chunkCount && chunks > 0 ? 'ready' : `ready with ${chunks} chunks`;
      } catch (error) {
        if (!isRagmeshError(error)) return String(error);
        expect(Object.keys(errorCatalogue)).toContain(error.code);
        return error.code;
      }
    }

    it('become text or are refused with a code, and end no process', async () => {
      const outcomes = new Map<number, string>();
      const left = [...seeds];
      const next = async (): Promise<void> => {
        for (let seed = left.pop(); seed !== undefined; seed = left.pop()) outcomes.set(seed, await outcome(seed));
      };
      await Promise.all([next(), next()]);
      const others = [...outcomes].filter(([, how]) => how !== 'ready' && !refusals.has(how));
      expect(others.map(([seed, how]) => `seed ${seed} (${mutatedFile(seed).name}): ${how}`)).toEqual([]);
      expect([...outcomes.values()]).toContain('ready');
      expect([...outcomes.values()]).toContain('DOCUMENT.CORRUPT');
    }, 900_000);
  });
}
