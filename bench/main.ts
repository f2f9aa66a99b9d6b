import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readCorpus, type DatasetDocument } from '../eval/dataset.js';
import { benchMesh } from './mesh.js';
import { Report } from './report.js';
import { benchStandalone } from './standalone.js';

const { values } = parseArgs({
  options: {
    mode: { type: 'string', default: 'standalone' },
    documents: { type: 'string', default: '1000' },
    dataset: { type: 'string', default: '../shared/datasets/scifact' },
  },
});

async function firstDocuments(folder: string, count: number): Promise<DatasetDocument[]> {
  const documents: DatasetDocument[] = [];
  for await (const document of readCorpus(folder)) if (documents.push(document) === count) break;
  return documents;
}

const benches = { standalone: benchStandalone, mesh: benchMesh };
const bench = benches[values.mode as keyof typeof benches];
if (!bench) throw new Error(`--mode must be one of ${Object.keys(benches).join(', ')}, not "${values.mode}".`);
const root = process.cwd();
const report = new Report(root, values.mode);
await bench(report, {
  root,
  dataset: values.dataset,
  documents: await firstDocuments(values.dataset, Number(values.documents)),
  model: join(root, 'services/model/bundled/all-MiniLM-L6-v2'),
});
await report.finish();
