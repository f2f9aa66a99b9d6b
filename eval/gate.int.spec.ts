import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

/** One document, one question, and a server that finds whatever it is told to. */
describe('npm run eval -- --gate', () => {
  let folder: string;
  let server: Server;
  let found: string[] = [];

  beforeAll(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'ragmesh-gate-')), 'tiny');
    await mkdir(folder);
    await writeFile(join(folder, 'corpus.jsonl'), '{"_id": "d1", "title": "Tides", "text": "They follow the moon."}\n');
    await writeFile(join(folder, 'queries.jsonl'), '{"_id": "q1", "text": "What do tides follow?"}\n');
    await writeFile(join(folder, 'qrels.tsv'), 'query-id\tcorpus-id\tscore\nq1\td1\t1\n');
    const whole = { 'ndcg@10': 1, map: 1, 'recall@100': 1 };
    const keep = (file: string, configurations: object) =>
      writeFile(join(folder, file), JSON.stringify({ tolerance: 0.01, datasets: { tiny: configurations } }));
    await keep('baseline.json', { hybrid: whole, rrf: whole });
    await keep('with-light.json', { hybrid: whole, light: whole });
    server = createServer((request, response) => {
      const results = found.map((document_id) => ({ document_id }));
      const answer = request.url === '/v1/search' ? { results, degraded: [] } : { status: 'ready', error: null };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(async () => {
    server.close();
    await rm(folder, { recursive: true, force: true });
  });

  const address = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const run = (url = address(), baseline = 'baseline.json', further: readonly string[] = []) => {
    const flags = [folder, '--url', url, '--gate', join(folder, baseline), ...further];
    const passed = promisify(execFile)(process.execPath, ['dist/eval/main.js', ...flags]);
    return passed.then(({ stdout }) => ({ code: 0, stdout, stderr: '' })).catch((failure: unknown) => failure as never);
  };

  it('passes what is as good as the baseline, and shows its configurations side by side', async () => {
    found = ['d1'];
    const { code, stdout } = await run();
    expect(code).toBe(0);
    expect(stdout).toMatch(/^hybrid +1 +1\.0000 .*\nrrf +1 +1\.0000 /m);
  });

  it('says what to do where nobody answers', async () => {
    const { code, stderr } = await run('http://127.0.0.1:1');
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^No ragmesh answers at http:\/\/127\.0\.0\.1:1 \(.+\): start one with npm start, .+--url.+\n$/,
    );
  });

  it('exits with 1 below it, and says what fell', async () => {
    found = ['another', 'd1'];
    const { code, stderr } = await run();
    expect(code).toBe(1);
    expect(stderr).toContain('tiny rrf map dropped by 0.5000, from 1.0000 to 0.5000; 0.01 is tolerated.');
  });

  it('compares a configuration that is given by --with, once the baseline has it', async () => {
    const light = ['--with', 'light={"alpha": 0.3}'];
    found = ['d1'];
    const { code, stdout } = await run(address(), 'with-light.json', light);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^hybrid +1 .*\nlight +1 +1\.0000 .*\n$/m);
    expect((await run(address(), 'baseline.json', light)).code).toBe(0);
    found = ['another', 'd1'];
    const { code: worse, stderr } = await run(address(), 'with-light.json', [...light, '--configurations', 'hybrid']);
    expect(worse).toBe(1);
    expect(stderr).toContain('tiny light map dropped by 0.5000');
  });

  it('asks for a configuration of the baseline that nobody gave', async () => {
    const { code, stderr } = await run(address(), 'with-light.json');
    expect(code).toBe(2);
    expect(stderr).toMatch(/^There is no configuration light; known are lexical, .+ give it by --with\.\n$/);
  });
});
