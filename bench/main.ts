import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readCorpus, type DatasetDocument } from '../eval/dataset.js';
import { benchMesh } from './mesh.js';
import { Report } from './report.js';
import { leftOut, scenariosNamed } from './scenarios.js';

const USAGE = `npm run bench -- [--mode standalone|mesh] [--scenario s1,s3,...] [--strict] [--documents N] [--seconds N]
                  [--clients N] [--chunks N] [--dataset FOLDER] [--files FOLDER]`;

const options = {
  mode: { type: 'string', default: 'standalone' },
  scenario: { type: 'string' },
  documents: { type: 'string', default: '1000' },
  seconds: { type: 'string' },
  clients: { type: 'string', default: '1000' },
  chunks: { type: 'string', default: '100000' },
  dataset: { type: 'string', default: '../shared/datasets/scifact' },
  files: { type: 'string', default: '../shared/documents' },
  strict: { type: 'boolean', default: false },
} as const;
const modes = ['standalone', 'mesh'];

async function firstDocuments(folder: string, count: number): Promise<DatasetDocument[]> {
  const documents: DatasetDocument[] = [];
  for await (const document of readCorpus(folder)) if (documents.push(document) === count) break;
  return documents;
}

/** Of a plain run: whoever names scenarios knows what is not among them. */
function tellLeftOut(
  report: Report,
  { mode, scenario }: { readonly mode: string; readonly scenario?: string },
  benches: Parameters<typeof leftOut>[0],
): void {
  if (mode === 'mesh' || scenario) return;
  for (const name of leftOut(benches)) report.add(name, `not run, as it takes long: --scenario ${name}`, '–');
}

/** Runs the benches that are asked for. Exit code 1: one failed, or with `--strict` missed its limit; 2: wrong use. */
async function main(): Promise<number> {
  const { values } = parseArgs({ options });
  /** @throws Error naming the option. */
  const positive = (option: 'documents' | 'seconds' | 'clients' | 'chunks'): number => {
    const value = Number(values[option]);
    if (Number.isInteger(value) && value > 0) return value;
    throw new Error(`--${option} must be a whole number above 0, not "${values[option]}".`);
  };
  if (!modes.includes(values.mode)) throw new Error(`--mode must be one of ${modes.join(', ')}, not "${values.mode}".`);
  const isMesh = values.mode === 'mesh';
  if (isMesh && values.scenario) throw new Error('--scenario belongs to --mode standalone: the mesh has one bench.');
  const benches = isMesh ? new Set([benchMesh]) : scenariosNamed(values.scenario);
  const root = process.cwd();
  // A part of the figures is kept beside the whole, not in its place.
  const report = new Report(root, [values.mode, ...(values.scenario?.split(',') ?? [])].join('-'));
  const input = {
    root,
    dataset: values.dataset,
    documents: await firstDocuments(values.dataset, positive('documents')),
    model: join(root, 'services/model/bundled/all-MiniLM-L6-v2'),
    files: values.files,
    seconds: values.seconds === undefined ? undefined : positive('seconds'),
    clients: positive('clients'),
    chunks: positive('chunks'),
  };
  let hasFailed = false;
  for (const bench of benches) {
    try {
      await bench(report, input);
    } catch (error) {
      // What was measured before is kept, and what comes after is still measured.
      report.add(bench.name, `failed: ${error instanceof Error ? error.message : String(error)}`, 'none fails', false);
      hasFailed = true;
    }
  }
  tellLeftOut(report, values, benches);
  const missed = await report.finish();
  return hasFailed || (values.strict && missed > 0) ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}\n`);
  process.exitCode = 2;
}
