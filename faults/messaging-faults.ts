import { notApplicable, proof, type Fault } from './fault.js';

const crashSteps = 'services/standalone/test/crash-steps.e2e.spec.ts';
const mesh = 'services/mesh/test/mesh.e2e.spec.ts';
const guards = 'libs/messaging/test/kafka-guards.int.spec.ts';
const conformance = 'libs/messaging/test/kafka-conformance.int.spec.ts';
const tableConformance = 'libs/messaging/test/embedded-conformance.int.spec.ts';
const handlers = 'faults/test/handlers-in-trouble.e2e.spec.ts';
const again = 'faults/test/events-again.e2e.spec.ts';
const outbox = 'faults/test/outbox-order.int.spec.ts';
const frozen = 'faults/test/frozen-copies.slow.e2e.spec.ts';
const strange = 'faults/test/strange-events.e2e.spec.ts';

const sameServer = notApplicable('events lie in the same PostgreSQL as the documents; its outage is row 26');
const killed = 'each service in turn is killed';

/** Rows 1–21: broker, outbox, consumers, events. */
export const messagingFaults: readonly Fault[] = [
  {
    row: 1,
    fault: 'Broker down when an event is published',
    never: 'A lost event, a 5xx on upload',
    tools: 'Kafka killed',
    standalone: sameServer,
    mesh: [proof('faults/test/broker-outage.e2e.spec.ts', 'without their broker for 5 s')],
  },
  {
    row: 2,
    fault: 'Broker down for 60 s',
    never: 'Consumers that do not resume, memory that grows',
    tools: 'Kafka killed',
    standalone: sameServer,
    mesh: [proof('faults/test/broker-outage.slow.e2e.spec.ts', 'without their broker for 60 s')],
  },
  {
    row: 3,
    fault: 'Crash between commit and publish',
    never: 'A lost event',
    tools: 'SIGKILL at every commit',
    standalone: [proof(crashSteps, 'loses and doubles nothing')],
    mesh: [
      proof('faults/test/kafka-crash-steps.slow.e2e.spec.ts', 'loses and doubles nothing'),
      proof(mesh, `on Kafka keeps every promise when ${killed}`),
    ],
  },
  {
    row: 4,
    fault: 'Crash after publish, before the row is marked',
    never: 'A doubled effect',
    tools: 'SIGKILL at every publish',
    standalone: [proof(crashSteps, 'loses and doubles nothing')],
    mesh: [proof('faults/test/kafka-crash-steps.slow.e2e.spec.ts', 'loses and doubles nothing')],
  },
  {
    row: 5,
    fault: 'The leader changes during a batch',
    never: 'An acknowledged record lost',
    tools: 'three brokers, leaders killed',
    standalone: notApplicable('tables have no leader'),
    mesh: [
      proof('libs/messaging/test/kafka-cluster.int.spec.ts', 'loses nothing it acknowledged when leaders are killed'),
    ],
  },
  {
    row: 6,
    fault: 'Two relays; the one that holds the lease is frozen and comes back',
    never: 'Events of a key out of order, doubled effects',
    tools: 'SIGSTOP, SIGCONT',
    standalone: [proof(frozen, 'of which one is frozen, over tables')],
    mesh: [proof(frozen, 'of which one is frozen, over Kafka')],
  },
  {
    row: 7,
    fault: 'Rows of the outbox commit in another order than their numbers',
    never: 'A skipped row',
    tools: 'two transactions',
    standalone: [proof(outbox, 'an outbox over tables publishes a row that commits after')],
    mesh: [proof(outbox, 'an outbox over Kafka publishes a row that commits after')],
  },
  {
    row: 8,
    fault: 'Each event comes three times',
    never: 'A doubled effect',
    tools: 'bus wrapped',
    standalone: [proof(again, 'over tables three times each')],
    mesh: [proof(again, 'over Kafka three times each')],
  },
  {
    row: 9,
    fault: 'Events out of order, old versions last (1,000 events, 50 documents)',
    never: 'A stale version wins, a deleted document returns',
    tools: 'shuffled, fixed seeds',
    standalone: [
      proof('faults/test/shuffled-versions.int.spec.ts', 'never let an older version win'),
      proof(again, 'over tables under new ids and in any order'),
    ],
    mesh: [proof(again, 'over Kafka under new ids and in any order')],
  },
  {
    row: 10,
    fault: 'A payload that cannot be read',
    never: 'A blocked partition, a dead consumer',
    tools: 'bytes on the topic',
    standalone: [proof('services/standalone/test/poison.e2e.spec.ts', 'poison events')],
    mesh: [
      proof(strange, 'over Kafka that nobody can read'),
      proof(guards, 'fails liveness when kafkajs gives up for good'),
    ],
  },
  {
    row: 11,
    fault: 'A handler throws TypeError',
    never: 'A dead consumer',
    tools: 'statement that throws',
    standalone: [proof(handlers, 'over tables with a TypeError')],
    mesh: [proof(handlers, 'over Kafka with a TypeError'), proof(guards, 'fails liveness instead of skipping records')],
  },
  {
    row: 12,
    fault: 'An event that crashes the process',
    never: 'A crash loop',
    tools: 'SIGKILL in the handler',
    standalone: [proof('faults/test/crashing-event.slow.e2e.spec.ts', 'crashes the process, over tables')],
    mesh: [proof('faults/test/crashing-event.slow.e2e.spec.ts', 'crashes the process, over Kafka')],
  },
  {
    row: 13,
    fault: 'Another schema: unknown field, missing field, newer major',
    never: 'Silent coercion',
    tools: 'events by hand',
    standalone: [
      proof(strange, 'over tables of another release'),
      proof('services/standalone/test/poison.e2e.spec.ts', 'from the future'),
    ],
    mesh: [proof(strange, 'over Kafka of another release')],
  },
  {
    row: 14,
    fault: 'An event too large for the bus (5 MB)',
    never: 'A relay stuck on one row',
    tools: 'row by hand',
    standalone: [
      proof(outbox, 'an outbox over tables makes a dead letter of a row that is too large'),
      proof(tableConformance, 'refuses an oversized record alone'),
    ],
    mesh: [
      proof(outbox, 'an outbox over Kafka makes a dead letter of a row that is too large'),
      proof(conformance, 'refuses an oversized record alone'),
    ],
  },
  {
    row: 15,
    fault: 'A consumer crashes in the middle of a batch',
    never: 'Lost or doubled chunks',
    tools: 'SIGKILL at every step',
    standalone: [
      proof(crashSteps, 'loses and doubles nothing'),
      proof('services/standalone/test/random-kills.e2e.spec.ts', 'keeps every promise'),
    ],
    mesh: [
      proof(conformance, 'redelivers to the next member what a crashed one'),
      proof(mesh, `on Kafka keeps every promise when ${killed}`),
      proof('faults/test/mesh-kills.slow.e2e.spec.ts', 'loses nothing and does nothing twice'),
    ],
  },
  {
    row: 16,
    fault: 'A storm of rebalances: copies join, leave and die for 60 s',
    never: 'Endless rejoining, duplicates applied',
    tools: 'SIGTERM, SIGKILL at random',
    standalone: [proof('faults/test/rebalance-storm.slow.e2e.spec.ts', 'over tables')],
    mesh: [proof('faults/test/rebalance-storm.slow.e2e.spec.ts', 'over Kafka')],
  },
  {
    row: 17,
    fault: 'A handler takes three times the session',
    never: 'A loop of expulsion and redelivery',
    tools: 'statement that waits',
    standalone: [proof(handlers, 'over tables that takes three times the session')],
    mesh: [
      proof(handlers, 'over Kafka that takes three times the session'),
      proof(guards, 'keeps its place in the group'),
    ],
  },
  {
    row: 18,
    fault: 'A consumer is frozen past its session and comes back',
    never: 'Commits of a zombie, late writes that win',
    tools: 'SIGSTOP, SIGCONT',
    standalone: [
      proof(frozen, 'of which one is frozen, over tables'),
      proof(tableConformance, 'fences a member that was frozen'),
    ],
    mesh: [proof(frozen, 'of which one is frozen, over Kafka'), proof(conformance, 'fences a member that was frozen')],
  },
  {
    row: 19,
    fault: 'A consumer leaves during an outage of the broker',
    never: 'A zombie that joins later',
    tools: 'Kafka killed',
    standalone: sameServer,
    mesh: [proof(guards, 'closes by its deadline during an outage')],
  },
  {
    row: 20,
    fault: 'A dead letter cannot be published',
    never: 'A dropped event',
    tools: 'bus wrapped',
    standalone: [proof(handlers, 'over tables whose dead letter cannot be published')],
    mesh: [proof(handlers, 'over Kafka whose dead letter cannot be published')],
  },
  {
    row: 21,
    fault: 'A dead letter is replayed by many at once, and again and again',
    never: 'A doubled effect, an endless loop',
    tools: 'concurrent requests',
    standalone: [
      proof('services/standalone/test/operations.e2e.spec.ts', 'are replayed one at a time when ten ask at once'),
      proof('libs/inbox/src/dead-letter-replays.int.spec.ts', 'happens once when two copies'),
    ],
    mesh: [proof(handlers, 'over Kafka is past it when its dead letter is replayed by five')],
  },
];
