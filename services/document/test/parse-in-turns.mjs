// Has files parsed that are named as arguments, consumes their chunks, and prints the longest turn of this process's
// event loop in milliseconds.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { longestTurn } from '../../../libs/testing/dist/longest-turn.js';
import { ParserProcesses } from '../dist/adapters/parser/parser-process.js';

const folder = mkdtempSync(join(tmpdir(), 'parse-in-turns-'));
const processes = new ParserProcesses({ timeoutMs: 5000, concurrency: 2 });
let files = 0;

async function parse(path) {
  const outputPath = join(folder, `output-${(files += 1)}`);
  const { chunks } = await processes.parse({ path, outputPath, splitting: { chunkSize: 200, overlap: 20 } });
  for await (const chunk of chunks) if (chunk.end === 0) throw new Error('An empty chunk');
}

const [warmUp, ...paths] = process.argv.slice(2);
await parse(warmUp);
process.stdout.write(String(await longestTurn(() => Promise.allSettled(paths.map(parse)))));
await processes.close();
rmSync(folder, { recursive: true, force: true });
