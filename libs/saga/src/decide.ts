import type { SagaDefinition, SagaError, SagaInput, SagaMessage, SagaState, UndoReason } from './saga-definition.js';

/** What a saga does next. `ignored` when the input is late or a repetition: nothing is written. */
export type SagaDecision<Data> =
  | { readonly kind: 'ignored' }
  | {
      readonly kind: 'moved';
      readonly state: SagaState<Data>;
      readonly send: readonly SagaMessage[];
      /** Seconds until the saga is looked at again; null when it has ended. */
      readonly within: number | null;
      /** For the timeline: `done`, `failed`, `resent`, … */
      readonly note: string;
    };

const UNDO_WITHIN = 30;

/** The first decision: the saga enters its first step. */
export function begin<Data extends object>(saga: SagaDefinition<Data>, data: Data): SagaDecision<Data> {
  return enter(saga, { status: 'running', step: saga.steps[0]!.name, data, error: null, undoing: null }, 0, 'started');
}

/** Decides on one input. Pure: same state and input, same decision. */
export function decide<Data extends object>(
  saga: SagaDefinition<Data>,
  state: SagaState<Data>,
  input: SagaInput<Data>,
): SagaDecision<Data> {
  if (state.status === 'running') return decideRunning(saga, state, input);
  if (state.status === 'compensating') return decideCompensating(saga, state, input);
  return { kind: 'ignored' };
}

function decideRunning<Data extends object>(
  saga: SagaDefinition<Data>,
  state: SagaState<Data>,
  input: SagaInput<Data>,
): SagaDecision<Data> {
  const index = indexOf(saga, state.step);
  const step = saga.steps[index]!;
  switch (input.kind) {
    case 'step-done': {
      if (input.step !== state.step) return { kind: 'ignored' };
      return enter(saga, { ...state, data: { ...state.data, ...input.data } }, index + 1, 'done');
    }
    case 'progress': {
      if (input.step !== state.step) return { kind: 'ignored' };
      const data = { ...state.data, ...input.data };
      return { kind: 'moved', state: { ...state, data }, send: [], within: step.within, note: '' };
    }
    case 'step-failed':
      return undo(saga, { ...state, error: input.error }, index, 'failed');
    case 'abort':
      return undo(saga, { ...state, error: input.error }, index, 'aborted');
    case 'timeout': {
      if (step.onTimeout === 'resend') {
        return { kind: 'moved', state, send: step.send?.(state.data) ?? [], within: step.within, note: 'resent' };
      }
      return undo(saga, { ...state, error: timedOut(step.name, step.within) }, index, 'failed');
    }
    case 'undone':
      return { kind: 'ignored' };
  }
}

/** A compensation that gets no answer is sent again: the saga never forgets what it has to undo. */
function decideCompensating<Data extends object>(
  saga: SagaDefinition<Data>,
  state: SagaState<Data>,
  input: SagaInput<Data>,
): SagaDecision<Data> {
  const index = indexOf(saga, state.step);
  const reason = state.undoing ?? 'failed';
  if (input.kind === 'undone' && input.step === state.step) return undo(saga, state, index - 1, reason);
  if (input.kind !== 'timeout') return { kind: 'ignored' };
  const send = saga.steps[index]?.undo?.(state.data, reason) ?? [];
  return { kind: 'moved', state, send, within: UNDO_WITHIN, note: 'undo resent' };
}

function enter<Data extends object>(
  saga: SagaDefinition<Data>,
  state: SagaState<Data>,
  index: number,
  note: string,
): SagaDecision<Data> {
  const step = saga.steps[index];
  if (!step) return { kind: 'moved', state: { ...state, status: 'completed' }, send: [], within: null, note };
  const send = step.send?.(state.data) ?? [];
  return { kind: 'moved', state: { ...state, step: step.name }, send, within: step.within, note };
}

/** Undoes from step `index` backwards, the failed step first, skipping steps that leave nothing behind. */
function undo<Data extends object>(
  saga: SagaDefinition<Data>,
  state: SagaState<Data>,
  index: number,
  reason: UndoReason,
): SagaDecision<Data> {
  for (let at = index; at >= 0; at -= 1) {
    const step = saga.steps[at]!;
    const send = step.undo?.(state.data, reason) ?? [];
    if (send.length === 0) continue;
    const compensating: SagaState<Data> = { ...state, status: 'compensating', step: step.name, undoing: reason };
    return { kind: 'moved', state: compensating, send, within: UNDO_WITHIN, note: reason };
  }
  return { kind: 'moved', state: { ...state, status: reason }, send: [], within: null, note: reason };
}

function indexOf<Data extends object>(saga: SagaDefinition<Data>, step: string): number {
  const index = saga.steps.findIndex(({ name }) => name === step);
  if (index < 0) throw new Error(`Saga ${saga.name} has no step ${step}`);
  return index;
}

const timedOut = (step: string, within: number): SagaError => ({
  code: 'DOCUMENT.DEADLINE_EXCEEDED',
  message: `The step "${step}" did not end within ${within} s.`,
});
