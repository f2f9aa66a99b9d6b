import { RagmeshError } from '@ragmesh/errors';
import { extractTrace, inContext, traceContext } from '@ragmesh/observability';
import type { Outbox } from '@ragmesh/outbox';
import type { SagaInput } from './saga-definition.js';
import type { SagaEngines } from './saga-engines.js';
import type { SagaRecord, SagaStore } from './saga-store.js';

const ENDED = new Set(['completed', 'failed', 'aborted']);

/** What an operator may do to a saga. Each takes effect as part of the request the saga belongs to. */
export class SagaOperator {
  constructor(
    private readonly sagas: SagaStore,
    private readonly engines: SagaEngines,
    private readonly outbox: Outbox,
  ) {}

  /**
   * Asks again, now, for what the saga waits for, undo or step, and gives it its full time.
   * @throws RagmeshError SAGA.NOT_FOUND, SAGA.ENDED.
   */
  async resume(tenant: string, ref: string): Promise<void> {
    const saga = await this.#open(tenant, ref);
    if (!(await this.#deliver(saga, { kind: 'resume' }))) throw ended(ref);
  }

  /**
   * Calls the saga off: what it did is undone.
   * @param reason for whoever waits for the saga.
   * @throws RagmeshError SAGA.NOT_FOUND, SAGA.ENDED, SAGA.NOT_ABORTABLE.
   */
  async abort(tenant: string, ref: string, reason: string): Promise<void> {
    const saga = await this.#open(tenant, ref);
    const error = { code: 'DOCUMENT.CANCELLED', message: reason };
    if (await this.#deliver(saga, { kind: 'abort', error })) return;
    throw new RagmeshError('SAGA.NOT_ABORTABLE', `Saga "${ref}" is ${saga.state}; there is no way back for it.`, {
      id: ref,
    });
  }

  async #open(tenant: string, ref: string): Promise<SagaRecord> {
    const saga = await this.sagas.get(tenant, ref);
    if (ENDED.has(saga.state)) throw ended(ref, saga.state);
    return saga;
  }

  async #deliver(saga: SagaRecord, input: SagaInput<object>): Promise<boolean> {
    const { name, id, tenant, request_id: requestId, trace } = saga;
    const deliver = (): Promise<boolean> =>
      this.outbox.transaction((tx, { publish }) => this.engines.of(name).deliver(tx, publish, id, input as never));
    return traceContext.with(extractTrace(trace), () => inContext({ tenant, requestId, subject: name }, deliver));
  }
}

const ended = (ref: string, state = 'over'): RagmeshError =>
  new RagmeshError('SAGA.ENDED', `Saga "${ref}" is ${state}.`, { id: ref });
