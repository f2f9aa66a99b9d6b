import type {
  SagaDefinition,
  SagaError,
  SagaInput,
  SagaMessage,
  SagaState,
  SagaStep,
  UndoReason,
} from './saga-definition.js';

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
const LONGEST_STEP_PAUSE = 120;
const LONGEST_UNDO_PAUSE = 300;

/** Seconds until something is asked for again: the longer it gets no answer, the rarer, so that an outage leaves no heap. */
const pause = (within: number, attempts: number, longest: number): number =>
  Math.min(Math.max(within, longest), within * 2 ** Math.min(attempts - 1, 10));

const undoWithin = (attempts: number): number => pause(UNDO_WITHIN, attempts, LONGEST_UNDO_PAUSE);

/** The first note of every timeline. */
export const STARTED = 'started';

/** The first decision: the saga enters its first step. */
export function begin<Data extends object>(saga: SagaDefinition<Data>, data: Data): SagaDecision<Data> {
  const step = saga.steps[0]!.name;
  const state: SagaState<Data> = {
    status: 'running',
    step,
    data,
    error: null,
    undoing: null,
    attempts: 1,
    undoError: null,
  };
  return enter(saga, state, 0, STARTED);
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
      if (step.isFinal && !input.removesAll) return { kind: 'ignored' };
      return undo(saga, { ...state, error: input.error }, index, 'aborted');
    case 'timeout': {
      if (step.onTimeout === 'resend') return sendAgain(step, state, 'resent');
      return undo(saga, { ...state, error: timedOut(step.name, step.within) }, index, 'failed');
    }
    case 'resume':
      return sendAgain(step, state, 'resumed');
    case 'undone':
    case 'undo-failed':
      return { kind: 'ignored' };
  }
}

function sendAgain<Data extends object>(
  step: SagaStep<Data>,
  state: SagaState<Data>,
  note: string,
): SagaDecision<Data> {
  const attempts = state.attempts + 1;
  const within = pause(step.within, attempts, LONGEST_STEP_PAUSE);
  return { kind: 'moved', state: { ...state, attempts }, send: step.send?.(state.data) ?? [], within, note };
}

/**
 * A compensation that gets no answer, or is refused, is sent again: the saga never forgets what it has to undo. A failure
 * is noted and does not change what comes next. What a final step asked for may have been done all the same, by another copy
 * of the command say: that is not undone, so the saga goes on from there. One that was called off is undone nevertheless.
 */
function decideCompensating<Data extends object>(
  saga: SagaDefinition<Data>,
  state: SagaState<Data>,
  input: SagaInput<Data>,
): SagaDecision<Data> {
  const index = indexOf(saga, state.step);
  const reason = state.undoing ?? 'failed';
  if (input.kind === 'undone' && input.step === state.step) return undo(saga, state, index - 1, reason);
  if (input.kind === 'step-done' && reason === 'failed') return goOnAfter(saga, state, input);
  if (input.kind === 'undo-failed') {
    const troubled = { ...state, undoError: input.error };
    return { kind: 'moved', state: troubled, send: [], within: undoWithin(state.attempts), note: 'undo failed' };
  }
  if (input.kind !== 'timeout' && input.kind !== 'resume') return { kind: 'ignored' };
  const send = saga.steps[index]!.undo?.(state.data, reason) ?? [];
  const attempts = state.attempts + 1;
  const note = input.kind === 'resume' ? 'undo resumed' : 'undo resent';
  return { kind: 'moved', state: { ...state, attempts }, send, within: undoWithin(attempts), note };
}

/** Takes a saga that is being undone forward again, if it was a final step that is done. */
function goOnAfter<Data extends object>(
  saga: SagaDefinition<Data>,
  state: SagaState<Data>,
  { step, data }: Extract<SagaInput<Data>, { kind: 'step-done' }>,
): SagaDecision<Data> {
  const index = indexOf(saga, step);
  if (!saga.steps[index]!.isFinal) return { kind: 'ignored' };
  const forward = { status: 'running', step, error: null, undoing: null, undoError: null } as const;
  return enter(saga, { ...state, ...forward, data: { ...state.data, ...data } }, index + 1, 'done');
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
  return { kind: 'moved', state: { ...state, step: step.name, attempts: 1 }, send, within: step.within, note };
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
    const compensating: SagaState<Data> = {
      ...state,
      status: 'compensating',
      step: step.name,
      undoing: reason,
      attempts: 1,
      undoError: null,
    };
    return { kind: 'moved', state: compensating, send, within: undoWithin(1), note: reason };
  }
  const ended = { ...state, status: reason, undoError: null };
  return { kind: 'moved', state: ended, send: [], within: null, note: reason };
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
