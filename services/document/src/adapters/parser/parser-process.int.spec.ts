import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, withinAttempts } from '@ragmesh/testing';
import { docxOf } from '../../../test/zip.builder.js';
import type { Chunk } from '../../domain/splitting/chunk.js';
import { estimateTokens } from '../../domain/splitting/token-estimate.js';
import { ParserProcesses } from './parser-process.js';
import type { ParserLimits } from './parser-limits.js';

const repository = fileURLToPath(new URL('../../../../../', import.meta.url));
const documents = join(repository, '../shared/documents');
const largePdf = join(documents, 'u-pdf2image-memory-error-test-400p.pdf');
const splitting = { chunkSize: 200, overlap: 20 };

const manifest = readFileSync(join(documents, 'MANIFEST.tsv'), 'utf8')
  .trim()
  .split('\n')
  .slice(1)
  .map((row) => row.split('\t'))
  .map((row) => ({ file: row[0]!, kind: row[7]!, expected: row[8]! }));

let folder: string;
let parsers: ParserProcesses;
const opened: ParserProcesses[] = [];

const withLimits = (limits: Partial<ParserLimits>, entry?: string): ParserProcesses => {
  const processes = new ParserProcesses(limits, entry);
  opened.push(processes);
  return processes;
};

let files = 0;
const written = (content: string | Buffer): string => {
  const path = join(folder, `input-${(files += 1)}`);
  writeFileSync(path, content);
  return path;
};

const parseFile = async (processes: ParserProcesses, path: string, fileName?: string, signal?: AbortSignal) => {
  const outputPath = join(folder, `output-${(files += 1)}`);
  const result = await processes.parse({ path, fileName, outputPath, splitting }, signal);
  const chunks: Chunk[] = [];
  for await (const chunk of result.chunks) chunks.push(chunk);
  return { ...result, chunks, text: readFileSync(outputPath, 'utf8'), outputPath };
};

/** Also false for one that ended and that nobody asked after yet. */
const isRunning = (pid: number): boolean =>
  pid > 0 &&
  /^State:\s+[^ZX]/m.test(existsSync(`/proc/${pid}/status`) ? readFileSync(`/proc/${pid}/status`, 'utf8') : '');

beforeAll(() => {
  // The child is a program of its own: it runs what the build made of these sources.
  execFileSync(process.execPath, [join(repository, 'tools/build.mjs')], { stdio: 'pipe' });
  folder = mkdtempSync(join(tmpdir(), 'parser-'));
  parsers = withLimits({});
});

afterAll(async () => {
  await Promise.all(opened.map((processes) => processes.close()));
  rmSync(folder, { recursive: true, force: true });
});

describe('Every document of the collection', () => {
  it.each(manifest.filter(({ kind }) => kind.startsWith('TEXT')))(
    '$file contains its phrase',
    async ({ file, kind, expected }) => {
      const { text, chunks, characters, chunkCount } = await parseFile(parsers, join(documents, file), file);
      const plain = text.replace(/\s+/g, ' ');
      expect(kind === 'TEXT-NFKC' ? plain.normalize('NFKC') : plain).toContain(expected);
      expect(characters).toBe(text.length);
      expect(chunkCount).toBe(chunks.length);
      expect(text.isWellFormed()).toBe(true);
      expect(text).not.toContain('\0');
      for (const [index, chunk] of chunks.entries()) {
        expect(chunk.index).toBe(index);
        expect(text.slice(chunk.start, chunk.end)).toBe(chunk.text);
        expect(estimateTokens(chunk.text)).toBeLessThanOrEqual(splitting.chunkSize);
      }
    },
  );

  it.each(manifest.filter(({ kind }) => kind === 'ERROR'))(
    '$file is refused with its code',
    async ({ file, expected }) => {
      const code = `DOCUMENT.${/^\w+/.exec(expected)?.[0]}`;
      await expect(parseFile(parsers, join(documents, file), file)).rejects.toMatchObject({ code, retry: 'permanent' });
    },
  );

  it('does not interleave the columns of a paper', async () => {
    const { text } = await parseFile(parsers, join(documents, 'multicolumn.pdf'));
    expect(text.replace(/\s+/g, ' ')).toContain('Lorem ipsum dolor sit amet, consectetuer adipiscing elit.');
  });

  it('keeps the rows of a table together although its columns were drawn one after the other', async () => {
    const { text } = await parseFile(parsers, join(documents, 'WARN-Report-for-7-1-2015-to-03-25-2016.pdf'));
    expect(text).toMatch(/Maxim Integrated Product \| San Jose \| 150 \| Closure Permanent/);
  });

  it('numbers pages and names headings', async () => {
    const pdf = await parseFile(parsers, largePdf);
    expect(pdf.pages).toBe(400);
    expect(new Set(pdf.chunks.map(({ page }) => page)).size).toBeGreaterThan(200);
    const markdown = await parseFile(parsers, join(documents, 'fastify-Server.md'), 'Server.md');
    expect(markdown.chunks.some(({ heading }) => heading?.includes(' > '))).toBe(true);
  });
});

describe('A hostile file', () => {
  it('that takes too long is killed, leaves no output, and the next file is read', async () => {
    const processes = withLimits({ timeoutMs: 150 });
    await expect(parseFile(processes, largePdf)).rejects.toMatchObject({ code: 'DOCUMENT.PARSE_TIMEOUT' });
    expect(existsSync(join(folder, `output-${files}`))).toBe(false);
    expect((await parseFile(withLimits({}), written('still here'))).text).toBe('still here');
  });

  it('that takes too much memory is stopped and the limit named', async () => {
    const processes = withLimits({ memoryBytes: 120 * 1024 * 1024 });
    const hog = written(`[${'{},'.repeat(10_000_000)}{}]`);
    const error = { code: 'DOCUMENT.LIMIT_EXCEEDED', details: { limit: 'memory' } };
    await expect(parseFile(processes, hog)).rejects.toMatchObject(error);
    expect((await parseFile(processes, written('still here'))).text).toBe('still here');
  });

  it.each([
    ['pages', { maxPages: 399 }, () => largePdf],
    ['output characters', { maxCharacters: 1000 }, () => written('word '.repeat(1000))],
    ['inflated bytes', { maxInflatedBytes: 100_000 }, () => join(documents, 'u-handbook-872p.docx')],
    ['zip entries', { maxZipEntries: 3 }, () => join(documents, 'word_sample.docx')],
  ])('beyond the limit on %s is refused by that name', async (limit, limits, path) => {
    const error = { code: 'DOCUMENT.LIMIT_EXCEEDED', details: { limit } };
    await expect(parseFile(withLimits(limits), path())).rejects.toMatchObject(error);
  });

  it('that breaks the process is reported as transient, and a new process takes over', async () => {
    const entry = join(folder, 'crash.js');
    writeFileSync(entry, 'process.exit(7);');
    const processes = withLimits({}, entry);
    const crash = { code: 'DOCUMENT.PARSER_CRASHED', retry: 'transient' };
    await expect(parseFile(processes, written('x'))).rejects.toMatchObject(crash);
    await expect(parseFile(processes, written('x'))).rejects.toMatchObject(crash);
  });

  it('that never lets go of the processor is killed in time', async () => {
    const entry = join(folder, 'loop.js');
    writeFileSync(entry, 'for (;;);');
    const started = performance.now();
    const error = { code: 'DOCUMENT.PARSE_TIMEOUT', details: { allowed: 300 } };
    await expect(parseFile(withLimits({ timeoutMs: 300 }, entry), written('x'))).rejects.toMatchObject(error);
    expect(performance.now() - started).toBeLessThan(10_000); // it would never end; its process takes a while to start
  });

  it('does not hold up the event loop of the service', async () => {
    const hostile = [
      written(Buffer.alloc(3_000_000, 'x ')),
      written(docxOf(`<w:p><w:r><w:t>${'word '.repeat(400_000)}</w:t></w:r></w:p>`)),
      written('['.repeat(1_000_000)),
      largePdf,
    ];
    const script = join(repository, 'services/document/test/parse-in-turns.mjs');
    const run = () =>
      Number(execFileSync(process.execPath, [script, written('warm'), ...hostile], { encoding: 'utf8' }));
    const longest = await withinAttempts(3, run, (turn) => turn < 20);
    expect(longest).toBeGreaterThan(0);
    expect(longest).toBeLessThan(20);
  });
});

describe('The child process', () => {
  it('sees neither environment, data, network, processes nor threads', async () => {
    const server = createServer((_, response) => response.end('leak')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const secret = written('top secret');
    process.env.PARSER_SPEC_SECRET = 'secret';
    const dist = join(repository, 'services/document/dist/adapters/parser');
    const probe = join(dist, 'sandbox-probe.mjs');
    writeFileSync(
      probe,
      `import { lockNetwork } from './network-lock.js'; import { takeThreads } from './parent-watch.js'; import fs from 'node:fs'; import net from 'node:net';
       import { encodeFrame } from './frames.js'; import { spawnSync } from 'node:child_process';
       import { Worker } from 'node:worker_threads'; takeThreads();
       const answers = new net.Socket({ fd: 3 }); lockNetwork();
       const attempt = (action) => { try { action(); return 'allowed'; } catch { return 'denied'; } };
       const seen = [process.env.PARSER_SPEC_SECRET ?? 'none', attempt(() => fs.readFileSync(${JSON.stringify(secret)})),
         attempt(() => fs.writeFileSync(${JSON.stringify(join(folder, 'written'))}, 'x')), attempt(() => net.connect(${port}, '127.0.0.1')),
         attempt(() => spawnSync('true')), attempt(() => new Worker('', { eval: true })), typeof fetch, attempt(() => eval('1'))];
       process.stdin.once('data', () => answers.write(encodeFrame('done', JSON.stringify({ title: seen.join(' ') }))));`,
    );
    try {
      const { title } = await withLimits({}, probe).parse({
        path: secret,
        outputPath: join(folder, 'probe'),
        splitting,
      });
      expect(title).toBe('none denied denied denied denied denied undefined denied');
    } finally {
      server.close();
      rmSync(probe);
      delete process.env.PARSER_SPEC_SECRET;
    }
  });

  it('is gone soon after a parent that was killed, although a document never lets go of it', async () => {
    const probe = join(repository, 'services/document/dist/adapters/parser/orphan-probe.mjs');
    const end = `process.kill(process.ppid, 'SIGKILL'); for (;;);`;
    writeFileSync(probe, `Intl.Segmenter.prototype.segment = () => { ${end} }; await import('./parser-child.js');`);
    const service = `import { subscribe } from 'node:diagnostics_channel';
      import { ParserProcesses } from ${JSON.stringify(join(repository, 'services/document/dist/adapters/parser/parser-process.js'))};
      subscribe('child_process', ({ process: child }) => child.once('spawn', () => console.log(child.pid)));
      const [entry, path, outputPath] = process.argv.slice(1);
      await new ParserProcesses({}, entry).parse({ path, outputPath, splitting: ${JSON.stringify(splitting)} });`;
    const files = [probe, written('word '.repeat(1000)), join(folder, 'orphaned')];
    const parent = spawn(process.execPath, ['--input-type=module', '-e', service, ...files]);
    let printed = '';
    parent.stdout.on('data', (bytes: Buffer) => (printed += bytes.toString()));
    try {
      expect((await once(parent, 'close'))[1]).toBe('SIGKILL');
      expect(printed).toMatch(/^\d+\n$/);
      await eventually('the orphan is gone', () => !isRunning(Number(printed)));
    } finally {
      if (isRunning(Number(printed))) process.kill(Number(printed), 'SIGKILL');
      rmSync(probe);
    }
  });

  it('is killed when the caller gives up', async () => {
    const entry = join(folder, 'patient.js');
    writeFileSync(entry, 'setInterval(() => {}, 1000);');
    const controller = new AbortController();
    const parsing = parseFile(withLimits({ concurrency: 1 }, entry), written('x'), undefined, controller.signal);
    controller.abort(new Error('cancelled by the user'));
    await expect(parsing).rejects.toThrow('cancelled by the user');
  });

  it.each([
    ['while it is lean', '', true],
    ['unless a document swelled it', 'globalThis.kept = Buffer.alloc(200 * 1024 * 1024, 1);', false],
  ])('is reused %s', async (_when, body, isReused) => {
    const probe = join(repository, 'services/document/dist/adapters/parser', `reuse-probe-${body.length}.mjs`);
    writeFileSync(
      probe,
      `import net from 'node:net'; import { encodeFrame, FrameReader } from './frames.js'; ${body}
       const answers = new net.Socket({ fd: 3 }); const reader = new FrameReader();
       process.stdin.on('data', (piece) => {
         for (const { type } of reader.push(piece))
           if (type === 'end') answers.write(encodeFrame('done', JSON.stringify({ title: String(process.pid) })));
       });`,
    );
    try {
      const processes = withLimits({}, probe);
      const request = { path: written('One page of text.'), outputPath: join(folder, 'reused'), splitting };
      const first = await processes.parse(request);
      const second = await processes.parse(request);
      expect(second.title === first.title).toBe(isReused);
    } finally {
      rmSync(probe);
    }
  });

  it('reads more documents than may run at once', async () => {
    const processes = withLimits({ concurrency: 2 });
    const texts = await Promise.all(
      Array.from({ length: 12 }, async (_, n) => (await parseFile(processes, written(`text number ${n}`))).text),
    );
    expect(texts).toEqual(Array.from({ length: 12 }, (_, n) => `text number ${n}`));
  });

  it('gives the reason when the file is not there', async () => {
    await expect(parseFile(parsers, join(folder, 'missing'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
