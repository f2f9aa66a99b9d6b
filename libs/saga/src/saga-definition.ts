import type { DescMessage, MessageInitShape } from '@bufbuild/protobuf';
import type { EventSpec } from '@ragmesh/contracts';

/** A command or event a saga sends. */
export interface SagaMessage {
  readonly spec: EventSpec;
  readonly subject: string;
  readonly payload: object;
}

/** Builds a {@link SagaMessage} whose payload fits its spec. */
export function sagaMessage<Desc extends DescMessage>(
  spec: EventSpec<Desc>,
  subject: string,
  payload: MessageInitShape<Desc>,
): SagaMessage {
  return { spec, subject, payload: payload as object };
}

/** Why a saga is undone. */
export type UndoReason = 'failed' | 'aborted';

/** One step: what it sends, how long its answer may take, and how it is undone. */
export interface SagaStep<Data> {
  readonly name: string;
  /** Sent on entering the step, and again when it times out and `onTimeout` is `resend`; must be idempotent. */
  readonly send?: (data: Data) => readonly SagaMessage[];
  /** Seconds until the step is looked at again. */
  readonly within: number;
  /** `resend` for steps past the point of no return: a missing answer does not prove that nothing happened. */
  readonly onTimeout: 'fail' | 'resend';
  /** Sent to undo the step, the failed one included. Without it there is nothing to undo. */
  readonly undo?: (data: Data, reason: UndoReason) => readonly SagaMessage[];
  /**
   * Past the point of no return: what this step asks for may be done already, and no undo gives back what that replaced. An abort
   * is passed over, unless it comes from what removes everything anyway. Whoever undoes a step before it must leave alone what is
   * done, and answer as the step does: then the saga goes on.
   */
  readonly isFinal?: boolean;
}

/** A saga is plain data over pure functions: steps in order, no I/O, no clock. */
export interface SagaDefinition<Data extends object> {
  readonly name: string;
  readonly steps: readonly SagaStep<Data>[];
}

export interface SagaError {
  readonly code: string;
  readonly message: string;
}

export type SagaStatus = 'running' | 'compensating' | 'completed' | 'failed' | 'aborted';

export interface SagaState<Data> {
  readonly status: SagaStatus;
  /** The running step, or while compensating the one being undone. */
  readonly step: string;
  readonly data: Data;
  readonly error: SagaError | null;
  /** Set while compensating, and decides how the saga ends. */
  readonly undoing: UndoReason | null;
  /** How often the step, or while compensating its undo, was asked for. */
  readonly attempts: number;
  /** Why undoing gets nowhere, as far as it is known; the undo is asked for all the same. */
  readonly undoError: SagaError | null;
}

/** What can happen to a saga. */
export type SagaInput<Data> =
  | { readonly kind: 'step-done'; readonly step: string; readonly data?: Partial<Data> }
  /** The step goes on; only its data changes. */
  | { readonly kind: 'progress'; readonly step: string; readonly data: Partial<Data> }
  | { readonly kind: 'step-failed'; readonly error: SagaError }
  /** With `removesAll`, also in a step past the point of no return. */
  | { readonly kind: 'abort'; readonly error: SagaError; readonly removesAll?: boolean }
  | { readonly kind: 'undone'; readonly step: string }
  /** Whoever was to undo the step could not. */
  | { readonly kind: 'undo-failed'; readonly error: SagaError }
  /** An operator wants what the saga waits for asked again, now. */
  | { readonly kind: 'resume' }
  | { readonly kind: 'timeout' };
