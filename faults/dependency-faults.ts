import { notApplicable, notProven, proof, type Fault, type Proof } from './fault.js';

const database = 'faults/test/database-outage.e2e.spec.ts';
const qdrant = 'services/vector/test/qdrant-store.int.spec.ts';
const store = 'faults/test/vector-store-outage.e2e.spec.ts';
const pool = 'services/embedding/src/adapters/inference/embedder-pool.int.spec.ts';
const stream = 'services/gateway/src/http/event-stream.int.spec.ts';
const models = 'services/generation/test/language-models.int.spec.ts';
const generation = 'services/generation/test/generate.int.spec.ts';
const degradation = 'services/retrieval/test/degradation.int.spec.ts';

const noServer = notApplicable('standalone keeps its vectors in its own database and memory');

/** What holds of a part by itself holds in every mode: nothing there depends on how events travel. */
const inBoth = (...proofs: readonly Proof[]) => ({ standalone: proofs, mesh: proofs });

/** Rows 22–38: stores, databases, caches, models, disk, clock. */
export const dependencyFaults: readonly Fault[] = [
  {
    row: 22,
    fault: 'The vector store is down',
    never: 'Lost vectors, a saga stuck in silence, an ungrounded answer',
    tools: 'proxy',
    standalone: noServer,
    mesh: [
      proof(store, 'that is down'),
      proof(qdrant, 'a Qdrant that fails'),
      proof(degradation, 'gives no answer without the index', 'is answered from there, in each mode'),
      proof(
        'services/vector/test/second-store.int.spec.ts',
        'answers the same from there',
        'shows nothing there that was deleted',
      ),
    ],
  },
  {
    row: 23,
    fault: 'The vector store is slow, refuses some requests (429) and fails others',
    never: 'A storm of retries',
    tools: 'proxy',
    standalone: noServer,
    mesh: [proof(store, 'that is overloaded')],
  },
  {
    row: 24,
    fault: 'An upsert succeeds in part, or its reply is lost',
    never: 'Mixed versions visible',
    tools: 'proxy, failing insert',
    standalone: [proof('services/vector/test/embedded-store.int.spec.ts', 'completes a bulk that failed half-way')],
    mesh: [
      proof(qdrant, 'completes a bulk that failed half-way', 'agrees with the rows after a commit that failed'),
      proof(store, 'whose replies are lost'),
    ],
  },
  {
    row: 25,
    fault: 'The vector store loses points',
    never: 'Answers that are silently thin',
    tools: 'points deleted behind its back',
    standalone: [proof('services/vector/test/embedded-store.int.spec.ts', 'brings back 5 % of the points')],
    mesh: [proof(qdrant, 'brings back 5 % of the points', 'gets back what it lacks without being asked')],
  },
  {
    row: 26,
    fault: 'PostgreSQL is killed, cut off, silent',
    never: 'A pool that stays broken',
    tools: 'SIGKILL, proxy',
    standalone: [
      proof(database, 'a database that dies under one process'),
      proof('faults/test/unused-blobs.e2e.spec.ts', 'leaves no blob behind'),
      proof('libs/postgres/test/embedded-postgres.int.spec.ts', 'brings a server back that dies under it'),
    ],
    mesh: [
      proof(database, 'fails eight processes, over Kafka'),
      proof('faults/test/replaced-database.slow.e2e.spec.ts', 'gone without a word'),
    ],
  },
  {
    row: 27,
    fault: 'The pool of connections is exhausted (2 for 50 clients)',
    never: 'A deadlock of relay and API',
    tools: 'concurrent uploads',
    standalone: [proof('faults/test/small-pools.e2e.spec.ts', 'with two connections per service')],
    mesh: [proof(database, 'a pool of two connections under fifty clients')],
  },
  {
    row: 28,
    fault: 'Redis down, frozen, a black hole, slow, full',
    never: 'Requests that stall, stale values',
    tools: 'SIGKILL, SIGSTOP, proxy',
    standalone: notApplicable('standalone caches in memory'),
    mesh: [
      proof('libs/cache/test/redis-faults.int.spec.ts', 'the cache with a failing Redis'),
      proof('services/retrieval/test/shared-results.int.spec.ts', 'results in Redis'),
    ],
  },
  {
    row: 29,
    fault: 'The language model times out, refuses, fails',
    never: 'A request that hangs, a double charge',
    tools: 'scripted provider',
    ...inBoth(
      proof(models, 'waits as long as the provider asks', 'never glues', 'leaves time for', 'keeps failing', 'is gone'),
      proof(generation, 'asks the smaller model', 'gives the answer it gave before', 'quotes the sources'),
    ),
  },
  {
    row: 30,
    fault: 'An answer is cut off in the middle',
    never: 'A part shown as the whole',
    tools: 'service stopped',
    ...inBoth(proof(degradation, 'shows the sources, then fails as GENERATION.UNAVAILABLE')),
  },
  {
    row: 31,
    fault: 'One of twenty calls through a breaker takes too long',
    never: 'Its abort ends the others',
    tools: 'slow call',
    ...inBoth(proof('faults/test/breaker-siblings.unit.spec.ts', 'is aborted alone')),
  },
  {
    row: 32,
    fault: 'The client leaves during a stream',
    never: 'Work that goes on for nobody',
    tools: 'socket closed',
    ...inBoth(proof(stream, 'ends when he leaves'), proof(degradation, 'stops when its caller goes away')),
  },
  {
    row: 33,
    fault: 'A client reads slowly',
    never: 'A buffer without bounds',
    tools: 'socket that does not read',
    ...inBoth(proof(stream, 'waits for a slow reader')),
  },
  {
    row: 34,
    fault: 'The thread that embeds dies',
    never: 'The service dies with it',
    tools: 'thread ended',
    ...inBoth(
      proof(pool, 'repeats what was lost when a thread dies', 'finds the one text that ends its thread every time'),
    ),
  },
  {
    row: 35,
    fault: 'Vectors that are not finite, of a wrong length, too few',
    never: 'A poisoned index',
    tools: 'events by hand',
    ...inBoth(
      proof(pool, 'refuses vectors of another length'),
      proof('services/vector/test/search.int.spec.ts', 'gives up a batch with'),
    ),
  },
  {
    row: 36,
    fault: 'A model file is damaged, missing or replaced',
    never: 'Wrong vectors',
    tools: 'bytes changed',
    ...inBoth(
      proof('services/model/src/adapters/model-source.int.spec.ts', 'names the file that is missing, cut or altered'),
      proof('services/model/test/models.int.spec.ts', 'refuses a model whose bytes differ'),
      proof('services/vector/test/search.int.spec.ts', 'refuses a query vector of another length'),
    ),
  },
  {
    row: 37,
    fault: 'The disk is full',
    never: 'Half a document accepted',
    tools: 'RLIMIT_FSIZE',
    standalone: [proof('services/standalone/test/full-disk.e2e.spec.ts', 'a disk without room')],
    mesh: notProven('the same blob store takes the upload; nobody has limited its process there'),
  },
  {
    row: 38,
    fault: 'Clocks are wrong by ten minutes, one jumps back',
    never: 'Retries that are never due, or all at once',
    tools: 'Date replaced in the process',
    standalone: notApplicable('one process and its database have one clock'),
    mesh: [proof('faults/test/clock-skew.slow.e2e.spec.ts', 'wrong by ten minutes, over Kafka')],
  },
];
