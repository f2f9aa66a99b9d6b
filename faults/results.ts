import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { format } from 'prettier';
import { isProven, modes, type Evidence, type Fault, type Mode } from './fault.js';
import type { Outcome } from './run-specs.js';

/** The last outcome of a row in a mode, and the day it was run. */
export type LastOutcome = Outcome & { readonly day: string };

/** By row and mode, for instance `26 mesh`. */
export type Results = Readonly<Record<string, LastOutcome>>;

export const keyOf = ({ row }: Fault, mode: Mode): string => `${row} ${mode}`;

const [OPEN, CLOSE] = ['<!-- faults -->', '<!-- /faults -->'];

export const readResults = (file: string): Results =>
  existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Results) : {};

export const writeResults = (file: string, results: Results): void =>
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);

function cell(evidence: Evidence, last: LastOutcome | undefined): string {
  if (!isProven(evidence))
    return evidence.kind === 'not applicable' ? `– (${evidence.why})` : `**not proven**: ${evidence.why}`;
  if (!last) return '**not proven**: has tests that were not run yet';
  return last.result === 'passed' ? 'passed' : `**${last.result}**: ${last.reason}`;
}

function specsOf(fault: Fault): string {
  const specs = modes.flatMap((mode) => {
    const evidence = fault[mode];
    return isProven(evidence) ? evidence.map(({ spec }) => spec) : [];
  });
  const links = [...new Set(specs)].map(
    (spec) =>
      `[${spec
        .split('/')
        .at(-1)!
        .replace(/\.(unit|int|e2e)\.spec\.ts$/, '')}](../${spec})`,
  );
  return links.join(', ');
}

/** The table of the README. */
export function table(faults: readonly Fault[], results: Results): string {
  const rows = faults.map((fault) => {
    const cells = modes.map((mode) => cell(fault[mode], results[keyOf(fault, mode)]));
    return `| ${[fault.row, fault.fault, fault.never, fault.tools, ...cells, specsOf(fault)].join(' | ')} |`;
  });
  return [
    '| # | fault | must never happen | harm by | standalone | mesh | shown by |',
    '|-|-|-|-|-|-|-|',
    ...rows,
  ].join('\n');
}

/** Replaces what stands between the markers. @returns whether it stood there already. */
export async function writeTable(readme: string, text: string): Promise<boolean> {
  const before = readFileSync(readme, 'utf8');
  const [start, end] = [before.indexOf(OPEN) + OPEN.length, before.indexOf(CLOSE)];
  const body = await format(text, { parser: 'markdown', printWidth: 120 });
  const after = `${before.slice(0, start)}\n\n${body.trim()}\n\n${before.slice(end)}`;
  if (after !== before) writeFileSync(readme, after);
  return after === before;
}
