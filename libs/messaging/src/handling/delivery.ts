import type { DescMessage, MessageInitShape } from '@bufbuild/protobuf';
import type { EventSpec } from '@ragmesh/contracts';
import type { SqlTransaction } from '@ragmesh/postgres';
import type { HandlerResult } from './handler-result.js';

/** Adds an event about `subject` to the outbox of the running transaction. */
export type Publish = <Desc extends DescMessage>(
  spec: EventSpec<Desc>,
  subject: string,
  payload: MessageInitShape<Desc>,
) => void;

/** One attempt at handling one event. */
export interface Delivery {
  /** 1 on the first attempt. */
  readonly attempt: number;
  /** Aborts at the handler's deadline, on shutdown, and when the partition moved to another member. */
  readonly signal: AbortSignal;
  /**
   * Gives the consumer's slot back for good: the handler is about to wait its turn elsewhere, and is limited there. It keeps nobody
   * from running but later events of its key. Until {@link goOn}, a crash of the process says nothing about its event.
   */
  standAside(): Promise<void>;
  /** Its turn has come. Called after {@link standAside}, before any work. */
  goOn(): Promise<void>;
  /**
   * Commits the effect: `work` runs in one transaction with the inbox mark and the outbox rows it publishes. A second
   * delivery of the same event does not reach `work`, so its effect happens once. The transaction may be shared with
   * effects of other subjects; after a rollback that another of them caused, `work` runs again.
   * @param locks names of advisory locks `work` holds from its beginning. Effects that share a transaction get theirs together
   * and in one order; were each to take its own, two such transactions could wait for each other.
   */
  commit(
    work: (tx: SqlTransaction, publish: Publish) => Promise<HandlerResult | void>,
    locks?: readonly string[],
  ): Promise<HandlerResult>;
}
