// Drops a generation of the collection `dropped`, which the database named as argument has, from rows and memory. Prints the
// longest turn of this process's event loop in milliseconds, and how many points were in memory before and after.
import { Database, createPool } from '../../../libs/postgres/dist/index.js';
import { longestTurn } from '../../../libs/testing/dist/longest-turn.js';
import { DocumentIndexRepository } from '../dist/adapters/document-index.repository.js';
import { EmbeddedIndexes } from '../dist/adapters/embedded-index/embedded-indexes.js';
import { EmbeddedStore } from '../dist/adapters/embedded-store.js';
import { GenerationRepository } from '../dist/adapters/generation.repository.js';
import { PointRepository } from '../dist/adapters/point.repository.js';
import { SearchIndex } from '../dist/adapters/search-index.js';

const GENERATION = 1;
const scope = { tenant: 'default', collection: 'dropped' };
const document = { ...scope, documentId: 'dropped' };
const logger = { info() {}, warn() {}, error() {} };

const database = new Database(createPool(process.argv[2]));
const generations = new GenerationRepository(database);
const index = new SearchIndex(new EmbeddedIndexes(), new PointRepository(database), generations, logger);
const documents = new DocumentIndexRepository();
const store = new EmbeddedStore({ index, database, documents, generations });

await index.load();
const before = store.count(document, 0);
const longest = await longestTurn(() => store.drop(scope, GENERATION));
process.stdout.write(JSON.stringify({ longest, before, after: store.count(document, 0) }));
index.close();
await database.close();
