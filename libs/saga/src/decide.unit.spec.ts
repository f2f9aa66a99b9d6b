import { describe, expect, it } from '@jest/globals';
import { catalogue } from '@ragmesh/contracts';
import { begin, decide, type SagaDecision } from './decide.js';
import { sagaMessage, type SagaDefinition, type SagaInput, type SagaState } from './saga-definition.js';

interface Data {
  readonly id: string;
  readonly pieces: number;
}

const undoWith = (spec: typeof catalogue.removeVersion) => (data: Data) => [
  sagaMessage(spec, data.id, { documentId: data.id }),
];

const saga: SagaDefinition<Data> = {
  name: 'sample',
  steps: [
    {
      name: 'cut',
      within: 10,
      onTimeout: 'fail',
      undo: (data, reason) => (reason === 'aborted' ? undoWith(catalogue.removeVersion)(data) : []),
    },
    { name: 'store', within: 20, onTimeout: 'fail', undo: undoWith(catalogue.removeVersion) },
    {
      name: 'show',
      within: 30,
      onTimeout: 'resend',
      isFinal: true,
      send: ({ id }) => [sagaMessage(catalogue.showVersion, id, { documentId: id })],
    },
  ],
};

type Moved = Extract<SagaDecision<Data>, { kind: 'moved' }>;

function after(...inputs: SagaInput<Data>[]): Moved {
  let last = begin(saga, { id: 'd1', pieces: 0 }) as Moved;
  for (const input of inputs) {
    const next = decide(saga, last.state, input);
    if (next.kind === 'moved') last = next;
  }
  return last;
}

const sent = ({ send }: Moved): string[] => send.map(({ spec }) => spec.type);
const cut: SagaInput<Data> = { kind: 'step-done', step: 'cut', data: { pieces: 3 } };
const stored: SagaInput<Data> = { kind: 'step-done', step: 'store' };
const shown: SagaInput<Data> = { kind: 'step-done', step: 'show' };
const failed: SagaInput<Data> = { kind: 'step-failed', error: { code: 'STORAGE.FULL', message: 'full' } };
const abort: SagaInput<Data> = { kind: 'abort', error: { code: 'DOCUMENT.CANCELLED', message: 'off' } };
const undone = (step: string): SagaInput<Data> => ({ kind: 'undone', step });

describe('decide', () => {
  it('walks through the steps and sends what each needs', () => {
    expect(after(cut).state).toMatchObject({ status: 'running', step: 'store', data: { pieces: 3 } });
    expect(sent(after(cut, stored))).toEqual(['vector.show-version']);
    expect(after(cut, stored, shown)).toMatchObject({ state: { status: 'completed' }, within: null });
  });

  it('ignores answers it does not wait for', () => {
    expect(decide(saga, after(cut).state, shown).kind).toBe('ignored');
    expect(decide(saga, after(cut, stored, shown).state, cut).kind).toBe('ignored');
  });

  it('undoes the failed step first and ends as failed once that is answered', () => {
    expect(sent(after(cut, failed))).toEqual(['vector.remove-version']);
    expect(after(cut, failed).state).toMatchObject({ status: 'compensating', step: 'store' });
    expect(after(cut, failed, undone('store')).state).toMatchObject({
      status: 'failed',
      error: { code: 'STORAGE.FULL' },
    });
  });

  it('fails at once where nothing has to be undone', () => {
    expect(after(failed).state.status).toBe('failed');
  });

  it('is not called off past the point of no return, unless everything is removed anyway', () => {
    expect(after(cut, stored, abort).state).toMatchObject({ status: 'running', step: 'show' });
    const removed = after(cut, stored, { ...abort, removesAll: true });
    expect(removed.state).toMatchObject({ status: 'compensating', step: 'store' });
  });

  it('goes on after all when what failed past the point of no return turns out to be done', () => {
    const forward = after(cut, stored, failed, shown);
    expect(forward).toMatchObject({
      state: { status: 'completed', step: 'show', error: null, undoing: null },
      within: null,
    });
    expect(after(cut, stored, failed, cut).state).toMatchObject({ status: 'compensating', step: 'store' });
    const removed = after(cut, stored, { ...abort, removesAll: true }, shown);
    expect(removed.state).toMatchObject({ status: 'compensating', step: 'store' });
  });

  it('undoes every step when it is called off, and ends as aborted', () => {
    expect(after(cut, abort, undone('store')).state).toMatchObject({ status: 'compensating', step: 'cut' });
    expect(after(cut, abort, undone('store'), undone('cut')).state.status).toBe('aborted');
  });

  it('takes a timeout for a failure before the point of no return, and asks again after it', () => {
    expect(after(cut, { kind: 'timeout' }).state).toMatchObject({
      status: 'compensating',
      error: { code: 'DOCUMENT.DEADLINE_EXCEEDED' },
    });
    expect(sent(after(cut, stored, { kind: 'timeout' }))).toEqual(['vector.show-version']);
  });

  it('asks ever more rarely for what gets no answer, but goes on asking', () => {
    const pauses: (number | null)[] = [];
    for (let last = after(cut, stored), round = 0; round < 12; round += 1) {
      last = decide(saga, last.state, { kind: 'timeout' }) as Moved;
      pauses.push(last.within);
    }
    expect(pauses.slice(0, 2)).toEqual([60, 120]);
    expect(Math.max(...pauses.map(Number))).toBe(120);
  });

  it('never forgets a compensation that gets no answer', () => {
    const waiting = after(cut, failed);
    let state: SagaState<Data> = waiting.state;
    for (let round = 0; round < 5; round += 1) {
      const next = decide(saga, state, { kind: 'timeout' }) as Moved;
      expect(sent(next)).toEqual(['vector.remove-version']);
      expect(next.within).toBeGreaterThan(0);
      state = next.state;
    }
  });
});
