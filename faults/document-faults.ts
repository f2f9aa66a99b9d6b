import { notApplicable, notProven, proof, type Fault } from './fault.js';

const lifecycle = 'services/standalone/test/lifecycle.e2e.spec.ts';
const races = 'faults/test/document-races.e2e.spec.ts';
const sagas = 'libs/saga/src/saga-engine.int.spec.ts';
const handlers = 'faults/test/handlers-in-trouble.e2e.spec.ts';
const parser = 'services/document/src/adapters/parser/parser-process.int.spec.ts';
const embedder = 'services/embedding/src/adapters/inference/embedder-pool.int.spec.ts';

/** Rows 39–45: documents whose changes race, sagas, shutdown. */
export const documentFaults: readonly Fault[] = [
  {
    row: 39,
    fault: 'A document is deleted at each commit of its ingestion',
    never: 'Vectors of a deleted document',
    tools: 'deletion at every commit',
    standalone: [
      proof(races, 'over tables is gone and stays gone'),
      proof(lifecycle, 'wins over an ingestion that runs'),
    ],
    mesh: [proof(races, 'over Kafka is gone and stays gone')],
  },
  {
    row: 40,
    fault: 'Updates race the ingestion and each other',
    never: 'Mixed chunks',
    tools: 'fixed seeds',
    standalone: [
      proof(races, 'over tables has the last version accepted'),
      proof(lifecycle, 'show one version at every moment'),
    ],
    mesh: [proof(races, 'over Kafka has the last version accepted')],
  },
  {
    row: 41,
    fault: 'The same upload twenty times at once',
    never: 'Two documents',
    tools: 'concurrent requests',
    standalone: [
      proof(lifecycle, 'duplicates of'),
      proof('services/gateway/test/answers.e2e.spec.ts', 'answers twenty concurrent requests with one Idempotency-Key'),
    ],
    mesh: [
      proof(
        'faults/test/rolling-restart.slow.e2e.spec.ts',
        'one document of twenty uploads of the same bytes',
        'one document of twenty uploads with one Idempotency-Key',
      ),
    ],
  },
  {
    row: 42,
    fault: 'A compensation fails',
    never: 'A silent orphan',
    tools: 'table taken away',
    standalone: [
      proof(
        'services/standalone/test/operations.e2e.spec.ts',
        'leaves a failed document and a saga that cannot be undone',
      ),
      proof(sagas, 'a compensation that fails'),
    ],
    mesh: notProven('the saga and its engine are the same; nobody has let a compensation fail with events on Kafka'),
  },
  {
    row: 43,
    fault: 'A saga times out; its orchestrator is started again',
    never: 'A document "processing" for ever',
    tools: 'orchestrator abandoned',
    standalone: [proof(sagas, 'fire a deadline once', 'fire the deadline of one that died')],
    mesh: notProven('the engine is the same; nobody has let a document time out in eight processes'),
  },
  {
    row: 44,
    fault: 'SIGTERM under load, a second SIGTERM',
    never: 'A failed request in a rolling restart of two copies',
    tools: 'SIGTERM',
    standalone: notApplicable('there is one process; its restart is what callers see'),
    mesh: [
      proof('services/mesh/test/rolling-restart.e2e.spec.ts', 'fails no request'),
      proof('faults/test/rolling-restart.slow.e2e.spec.ts', 'fail no request'),
      proof('services/mesh/test/one-service.e2e.spec.ts', 'a later SIGTERM ends it at once', 'that says "come again"'),
    ],
  },
  {
    row: 45,
    fault: 'The event loop is blocked for longer than the session',
    never: 'A loop of expulsion and redelivery',
    tools: 'processor burnt',
    standalone: [
      proof(handlers, 'over tables that blocks the event loop'),
      proof(parser, 'does not hold up the event loop'),
      proof(embedder, 'takes the event loop for 20 ms at most'),
    ],
    mesh: [proof(handlers, 'over Kafka that blocks the event loop')],
  },
];
