import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

type Row = readonly [what: string, measured: string, limit: string];

/** Collects what was measured, tells it as it comes, and prints the table at the end. */
export class Report {
  readonly #rows: Row[] = [];

  constructor(
    private readonly root: string,
    private readonly name: string,
  ) {}

  add(what: string, measured: string, limit: string): void {
    this.#rows.push([what, measured, limit]);
    process.stderr.write(`${what}: ${measured} (limit ${limit})\n`);
  }

  /** Prints the table and keeps it in `bench/results/<name>.json`. */
  async finish(): Promise<void> {
    const lines = this.#rows.map((row) => `| ${row.join(' | ')} |`);
    process.stdout.write(`${['| what | measured | limit |', '| --- | --- | --- |', ...lines].join('\n')}\n`);
    const folder = join(this.root, 'bench/results');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, `${this.name}.json`), `${JSON.stringify(this.#rows, null, 2)}\n`);
  }
}
