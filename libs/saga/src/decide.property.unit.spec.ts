import { describe, expect, it } from '@jest/globals';
import { catalogue } from '@ragmesh/contracts';
import { seeded } from '@ragmesh/testing';
import { begin, decide, type SagaDecision } from './decide.js';
import { sagaMessage, type SagaDefinition, type SagaInput, type SagaState } from './saga-definition.js';

type Data = Record<string, never>;
type Moved = Extract<SagaDecision<Data>, { kind: 'moved' }>;

/** Whole numbers below a limit; a seed names a run, so a failure can be run again. */
function randomFrom(seed: number): (below: number) => number {
  const random = seeded(seed);
  return (below) => Math.floor(random() * below);
}

/** Undo of a step says which step it undoes. */
const undoOf = (step: string) => [sagaMessage(catalogue.removeVersion, step, { documentId: step })];

function anySaga(random: (below: number) => number): SagaDefinition<Data> {
  return {
    name: 'any',
    steps: Array.from({ length: 1 + random(6) }, (_, index) => {
      const name = `step-${index}`;
      const hasUndo = random(3) > 0;
      return {
        name,
        within: 1 + random(100),
        onTimeout: random(4) === 0 ? ('resend' as const) : ('fail' as const),
        ...(hasUndo ? { undo: () => undoOf(name) } : {}),
      };
    }),
  };
}

const error = { code: 'STORAGE.UNAVAILABLE', message: 'away' };

function anyInput({ steps }: SagaDefinition<Data>, random: (below: number) => number): SagaInput<Data> {
  const step = steps[random(steps.length)]!.name;
  const inputs: SagaInput<Data>[] = [
    { kind: 'step-done', step },
    { kind: 'step-done', step },
    { kind: 'undone', step },
    { kind: 'undone', step },
    { kind: 'progress', step, data: {} },
    { kind: 'timeout' },
    { kind: 'resume' },
    { kind: 'undo-failed', error },
    { kind: random(4) === 0 ? 'step-failed' : 'timeout', error } as SagaInput<Data>,
    { kind: random(6) === 0 ? 'abort' : 'resume', error } as SagaInput<Data>,
  ];
  return inputs[random(inputs.length)]!;
}

interface Move {
  readonly before: SagaState<Data>;
  readonly input: SagaInput<Data>;
  readonly decision: SagaDecision<Data>;
}

interface Run {
  readonly seed: number;
  readonly saga: SagaDefinition<Data>;
  readonly moves: readonly Move[];
  readonly last: SagaState<Data>;
}

function run(seed: number): Run {
  const random = randomFrom(seed);
  const saga = anySaga(random);
  let state = (begin(saga, {}) as Moved).state;
  const moves: Move[] = [];
  for (let count = 0; count < 60; count += 1) {
    const input = anyInput(saga, random);
    const decision = decide(saga, state, input);
    moves.push({ before: state, input, decision });
    if (decision.kind === 'moved') state = decision.state;
  }
  return { seed, saga, moves, last: state };
}

const runs = Array.from({ length: 2_000 }, (_, seed) => run(seed));
const movesOf = ({ moves }: Run) =>
  moves.flatMap(({ before, input, decision }) =>
    decision.kind === 'moved' ? [{ before, input, after: decision.state, decision }] : [],
  );
const isOver = ({ status }: SagaState<Data>): boolean => ['completed', 'failed', 'aborted'].includes(status);

describe('whatever happens to whichever saga', () => {
  it('is tried in runs that end in every way', () => {
    expect(new Set(runs.map(({ last }) => last.status))).toEqual(
      new Set(['running', 'compensating', 'completed', 'failed', 'aborted']),
    );
  });

  it('it undoes every step it entered, in reverse, the failed one first', () => {
    for (const each of runs.filter(({ last }) => last.status === 'failed' || last.status === 'aborted')) {
      const failure = movesOf(each).find(
        ({ before, after }) => before.status === 'running' && after.status !== 'running',
      )!;
      const entered = each.saga.steps.findIndex(({ name }) => name === failure.before.step);
      const expected = each.saga.steps
        .slice(0, entered + 1)
        .filter(({ undo }) => undo)
        .map(({ name }) => name)
        .toReversed();
      const undone = movesOf(each)
        .filter(({ before, after }) => before.step !== after.step || before.status !== after.status)
        .flatMap(({ decision }) => decision.send.map(({ subject }) => subject));
      expect({ seed: each.seed, undone }).toEqual({ seed: each.seed, undone: expected });
    }
  });

  it('it stays with an undo until that undo is answered, and asks for nothing else', () => {
    for (const { seed, moves } of runs) {
      for (const { before, input, decision } of moves) {
        if (before.status !== 'compensating' || decision.kind === 'ignored') continue;
        const answered = input.kind === 'undone' && input.step === before.step;
        if (answered) continue;
        expect({ seed, status: decision.state.status, step: decision.state.step }).toEqual({
          seed,
          status: 'compensating',
          step: before.step,
        });
        expect(decision.send.every(({ subject }) => subject === before.step)).toBe(true);
      }
    }
  });

  it('it is looked at again until it is over, and never afterwards', () => {
    for (const { moves } of runs) {
      for (const { before, decision } of moves) {
        if (isOver(before)) expect(decision.kind).toBe('ignored');
        if (decision.kind === 'moved') expect(decision.within === null).toBe(isOver(decision.state));
        if (decision.kind === 'moved' && decision.within !== null) expect(decision.within).toBeGreaterThan(0);
      }
    }
  });

  it('it never goes forward again once it goes back', () => {
    for (const each of runs) {
      for (const { before, after } of movesOf(each))
        if (before.status === 'compensating') expect(['compensating', 'failed', 'aborted']).toContain(after.status);
    }
  });

  it('it knows why it is undone, and ends as what it was undone for', () => {
    for (const each of runs) {
      for (const { after } of movesOf(each)) {
        if (after.status === 'compensating') expect(after.error).not.toBeNull();
        if (after.undoing && isOver(after)) expect(after.status).toBe(after.undoing);
      }
    }
  });
});
