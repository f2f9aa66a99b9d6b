import { catalogue } from '@ragmesh/contracts';
import { createLogger, inContext } from '@ragmesh/observability';
import { Outbox, type OutboxWriter } from '@ragmesh/outbox';
import { Database, createPool, type SqlTransaction } from '@ragmesh/postgres';
import {
  SagaEngine,
  SagaEngines,
  SagaOperator,
  SagaStore,
  SagaTimer,
  sagaMessage,
  type SagaDefinition,
  type SagaInput,
  type SagaSummary,
} from '../src/index.js';

export interface Count {
  readonly id: string;
  readonly counted: number;
}

const undo = ({ id }: Count) => [sagaMessage(catalogue.removeVersion, id, { documentId: id })];
export const counting: SagaDefinition<Count> = {
  name: 'counting',
  steps: [
    { name: 'count', within: 60, onTimeout: 'fail', undo },
    { name: 'show', within: 60, onTimeout: 'resend', send: undo },
  ],
};
const oneWay: SagaDefinition<Count> = {
  name: 'one-way',
  steps: [{ name: 'go', within: 60, onTimeout: 'resend', isFinal: true }],
};

/** One orchestrator: its own pool, outbox, engines and timer, as in a process of its own. */
export class Orchestrator {
  readonly database: Database;
  readonly outbox: Outbox;
  readonly engine = new SagaEngine<Count>(counting, () => Promise.resolve());
  readonly others = new SagaEngine<Count>(oneWay, () => Promise.resolve());
  readonly store: SagaStore;
  readonly operator: SagaOperator;
  readonly timer: SagaTimer;
  /** What its timer takes for the time, in ms, and how often it asked. */
  readonly clock = { now: Date.now(), asked: 0 };

  constructor(url: string) {
    this.database = new Database(createPool(url, { max: 5, applicationName: 'saga-spec' }));
    this.outbox = new Outbox(this.database, 'document');
    this.store = new SagaStore(this.database);
    const engines = new SagaEngines();
    engines.add(this.engine);
    engines.add(this.others);
    this.operator = new SagaOperator(this.store, engines, this.outbox);
    this.timer = new SagaTimer(this.database, this.outbox, engines, createLogger('document', 'silent'), async () => {
      this.clock.asked += 1;
      return this.clock.now;
    });
  }

  work<T>(work: (tx: SqlTransaction, publish: OutboxWriter['publish']) => Promise<T>): Promise<T> {
    return inContext({ tenant: 'default', requestId: 'r', subject: 'spec' }, () =>
      this.outbox.transaction((tx, { publish }) => work(tx, publish)),
    );
  }

  start(id: string): Promise<boolean> {
    return this.work((tx, publish) => this.engine.start(tx, publish, id, { id, counted: 0 }));
  }

  deliver(id: string, input: SagaInput<Count>): Promise<boolean> {
    return this.work((tx, publish) => this.engine.deliver(tx, publish, id, input));
  }

  /** Messages to a subject that wait or were published. */
  async sent(subject: string): Promise<number> {
    return (await this.database.query('SELECT FROM outbox WHERE key = $1', [subject])).rowCount;
  }

  async sagaOf(id: string): Promise<SagaSummary> {
    return (await this.store.list('default', {}, 200)).find((saga) => saga.id === id)!;
  }
}
