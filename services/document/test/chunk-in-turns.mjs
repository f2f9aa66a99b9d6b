// Has small texts of signs alone read and cut, and one of 20 million characters read, cut anew and told of, in the database
// named as first argument, under the id that is the second. Prints the longest turn of this process's event loop in milliseconds, and how many chunks were kept and
// published.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inContext } from '../../../libs/observability/dist/index.js';
import { Outbox } from '../../../libs/outbox/dist/index.js';
import { Database, createPool } from '../../../libs/postgres/dist/index.js';
import { longestTurn } from '../../../libs/testing/dist/longest-turn.js';
import { ChunkRepository } from '../dist/adapters/chunk.repository.js';
import { FolderBlobStore } from '../dist/adapters/folder-blob-store.js';
import { GenerationRepository } from '../dist/adapters/generation.repository.js';
import { TextExtractor } from '../dist/adapters/text-extractor.js';
import { VersionCuts } from '../dist/commands/version-cuts.js';
import { publishChunks } from '../dist/publishes/document-chunked.event.js';

const CHARACTERS = 20_000_000;
const [, , url, id] = process.argv;
const folder = mkdtempSync(join(tmpdir(), 'chunk-in-turns-'));
const database = new Database(createPool(url));
const outbox = new Outbox(database, 'document');
const blobs = new FolderBlobStore(folder);
const extractor = new TextExtractor(blobs, {
  ...{ PARSE_TIMEOUT: 60, PARSE_MEMORY: 2 ** 29, PARSE_MAX_PAGES: 1, PARSE_MAX_INFLATED: 1, PARSE_CONCURRENCY: 1 },
});
const cuts = new VersionCuts(new ChunkRepository(database), new GenerationRepository(database), extractor);

// One long paragraph; some signs take more than a byte.
const sentence = 'The heron – a patient bird – stands in the river for hours and waits for a fish that is late. ';
const text = sentence.repeat(CHARACTERS / sentence.length).trimEnd();
const source = join(folder, 'source');
writeFileSync(source, text);
const keyOf = (bytes) => createHash('sha256').update(bytes).digest('hex');
const key = keyOf(text);
await blobs.publish('t', { path: source, key });

const upload = {
  ...{ document_id: id, version: 1, kind: 'text', file_name: 'book.txt', size_bytes: CHARACTERS },
  ...{ blob_key: key, chunk_size: 2048, chunk_overlap: 0, chunks: 0 },
};
const small = ['.', '。', '(', 'a\u0301', '"'].map((sign) =>
  Buffer.from(`A start. ${sign.repeat(64_000 / Buffer.byteLength(sign))}`),
);
for (const bytes of small) {
  writeFileSync(source, bytes);
  await blobs.publish('t', { path: source, key: keyOf(bytes) });
}

// Readers see a generation that cuts as finely as one may.
await database.query(
  `INSERT INTO index_generation (tenant, collection, generation, state, chunk_size, chunk_overlap)
   VALUES ('t', 'books', 1, 'live', 32, 0) ON CONFLICT DO NOTHING`,
);
const placed = { tenant: 't', collection: 'books', upload, metadata: {} };
const delivery = { standAside: async () => {}, goOn: async () => {}, signal: new AbortController().signal };

async function chunk() {
  for (const bytes of small)
    await extractor.extract(
      't',
      { ...upload, size_bytes: bytes.length, blob_key: keyOf(bytes), chunk_size: 32 },
      delivery,
    );
  const extracted = await extractor.extract('t', upload, delivery);
  const batches = await cuts.prepare(placed, extracted);
  await outbox.transaction(async (tx, { publish }) => {
    const document = { id, version: 1, collection: 'books', title: 'Herons', metadata: {} };
    for (const cut of await cuts.keep(tx, placed, batches)) await publishChunks(publish, document, extracted.text, cut);
  });
}

const longest = await longestTurn(() => inContext({ tenant: 't', requestId: 'r', subject: 'x' }, chunk));
const { rows } = await database.query(
  `SELECT sum(jsonb_array_length(spans))::int AS chunks, (SELECT count(*)::int FROM outbox WHERE key = $1) AS events,
     count(*)::int AS batches FROM chunk_batch WHERE document_id = $1`,
  [id],
);
process.stdout.write(JSON.stringify({ longest, ...rows[0] }));
await extractor.onModuleDestroy();
await database.close();
rmSync(folder, { recursive: true, force: true });
