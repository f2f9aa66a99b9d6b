// Drops a generation of the collection that the second argument names, and a document of it, too, from rows and memory of the database
// that the first one names. Prints the
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
const [, , url, name] = process.argv;
const scope = { tenant: 'default', collection: name };
const document = { ...scope, documentId: name };
const logger = { info() {}, warn() {}, error() {} };

const database = new Database(createPool(url));
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
