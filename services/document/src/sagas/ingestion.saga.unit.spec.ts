import { describe, expect, it } from '@jest/globals';
import { begin, decide, type SagaInput, type SagaState } from '@ragmesh/saga';
import { failureInput, ingestionSaga, isIngestionStep, isOfIngestion, type Ingestion } from './ingestion.saga.js';

const data: Ingestion = {
  tenant: 'default',
  documentId: 'd',
  version: 3,
  collection: 'c',
  chunks: 2,
  batches: 1,
  indexed: [],
  acceptedAt: '2026-01-01T00:00:00Z',
};
const error = { code: 'VECTOR.UNAVAILABLE', message: 'away' };
const chunked: SagaInput<Ingestion> = { kind: 'step-done', step: 'chunk' };

function after(...inputs: (SagaInput<Ingestion> | string)[]): SagaState<Ingestion> {
  let last = begin(ingestionSaga, data);
  for (const given of inputs) {
    if (last.kind !== 'moved') throw new Error('The saga did not move');
    const input = typeof given === 'string' ? failureInput(last.state, { topic: given, error }) : given;
    if (input) last = decide(ingestionSaga, last.state, input);
  }
  if (last.kind !== 'moved') throw new Error('The saga did not move');
  return last.state;
}

describe('an event of an ingestion that is given up', () => {
  it.each(['document.chunked', 'chunks.embedded', 'vector.indexed'])(
    'of %s fails the ingestion and undoes it',
    (topic) => {
      expect(after(chunked, topic)).toMatchObject({ status: 'compensating', step: 'index', error });
    },
  );

  it('while it is being undone is a failed undo if it is one, and nothing if it is not', () => {
    expect(after(chunked, 'chunks.embedded', 'vector.commands')).toMatchObject({
      status: 'compensating',
      step: 'index',
      undoError: error,
    });
    expect(after(chunked, 'chunks.embedded', 'chunks.embedded')).toMatchObject({ undoError: null });
  });

  describe('of a version that is being shown', () => {
    const shown = after(chunked, { kind: 'step-done', step: 'index' });
    const asked = (attempts: number, topic: string, code: string) =>
      failureInput({ ...shown, attempts }, { topic, error: { code, message: 'given up' } })?.kind;

    it.each(['vector.updated', 'vector.indexed', 'chunks.embedded', 'document.chunked'])(
      'is nothing to it when it is %s: it is asked for again, and answered again',
      (topic) => {
        expect(asked(99, topic, 'EVENT.CRASHED_PROCESS')).toBeUndefined();
      },
    );

    it('fails it when the index refuses to show it, or could not for an hour', () => {
      expect(asked(1, 'vector.commands', 'EVENT.INVALID')).toBe('step-failed');
      expect(asked(1, 'vector.commands', 'VECTOR.UNAVAILABLE')).toBeUndefined();
      expect(asked(40, 'vector.commands', 'VECTOR.UNAVAILABLE')).toBe('step-failed');
    });
  });

  it('is known by its topic, by the version it is of, and by who gave it up', () => {
    expect(isOfIngestion('vector', 'chunks.embedded', 3n)).toBe(true);
    expect(isOfIngestion('vector', 'chunks.embedded', 0n)).toBe(false);
    expect(isOfIngestion('document', 'document.ready', 3n)).toBe(false);
  });

  it('is nothing to the document when only a bystander gave it up', () => {
    expect(isOfIngestion('document', 'vector.updated', 3n)).toBe(true);
    expect(isOfIngestion('retrieval', 'vector.updated', 3n)).toBe(false);
    expect(isOfIngestion('knowledge', 'document.created', 3n)).toBe(false);
    expect(isIngestionStep('retrieval', 'vector.updated')).toBe(false);
  });

  it('leads on when it is replayed, unless it was to undo something', () => {
    const leadsOn = (type: string): boolean => isIngestionStep('vector', type);
    expect(['document.created', 'chunks.embedded', 'vector.show-version'].every(leadsOn)).toBe(true);
    expect(['vector.remove-version', 'document.discard-chunks', 'document.ready'].some(leadsOn)).toBe(false);
  });
});
