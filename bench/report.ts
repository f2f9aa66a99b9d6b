import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

interface Row {
  readonly what: string;
  readonly measured: string;
  readonly limit: string;
  /** Undefined where no limit was set. */
  readonly met: boolean | undefined;
}

const verdictOf = ({ met }: Row): string => (met === undefined ? '' : met ? 'met' : '**missed**');

/** Collects what was measured, tells it as it comes, and prints the table at the end. */
export class Report {
  readonly #rows: Row[] = [];

  constructor(
    private readonly root: string,
    private readonly name: string,
  ) {}

  /** @param met whether the limit was kept; left out where there is none. */
  add(what: string, measured: string, limit: string, met?: boolean): void {
    this.#rows.push({ what, measured, limit, met });
    process.stderr.write(`${what}: ${measured} (limit ${limit}${met === false ? ', missed' : ''})\n`);
  }

  /**
   * Prints the table and how many limits were missed, and keeps the rows in `bench/results/<name>.json`.
   * @returns that number.
   */
  async finish(): Promise<number> {
    const lines = this.#rows.map((row) => `| ${[row.what, row.measured, row.limit, verdictOf(row)].join(' | ')} |`);
    process.stdout.write(`${['| what | measured | limit | |', '| --- | --- | --- | --- |', ...lines].join('\n')}\n`);
    const limited = this.#rows.filter(({ met }) => met !== undefined);
    const missed = limited.filter(({ met }) => !met).length;
    process.stdout.write(`\n${missed} of ${limited.length} limits missed.\n`);
    const folder = join(this.root, 'bench/results');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, `${this.name}.json`), `${JSON.stringify(this.#rows, null, 2)}\n`);
    return missed;
  }
}
