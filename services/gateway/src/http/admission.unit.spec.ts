import { describe, expect, it } from '@jest/globals';
import { Admission, type Slot } from './admission.js';

const shed = expect.objectContaining({ code: 'OVERLOAD.SHED', details: expect.objectContaining({ retry_after: 1 }) });
const failure = (work: () => unknown): unknown => {
  try {
    return void work();
  } catch (error) {
    return error;
  }
};

/** Lets a request in whose body is there at once. */
const begun = (admission: Admission, operation: string): Slot => {
  const slot = admission.admit(operation);
  slot.begin();
  return slot;
};
const finish = (slot: Slot, isServed: boolean): void => {
  slot.answered(isServed);
  slot.release();
};

describe('Admission', () => {
  it('refuses a stream before any work is done for it, and keeps the place of one that was promised', () => {
    const admission = new Admission({ requests: 10, streams: 1 });
    const first = begun(admission, '/v1/query');
    first.reserveStream();
    const second = begun(admission, '/v1/query');
    expect(failure(() => second.reserveStream())).toEqual(shed);
    expect(failure(() => second.becomeStream())).toEqual(shed);
    first.becomeStream();
    first.release();
    second.becomeStream();
  });

  it('counts what will be a stream as a request until it is one', () => {
    const admission = new Admission({ requests: 1, streams: 10 });
    const slot = admission.admit();
    slot.reserveStream();
    expect(failure(() => admission.admit())).toEqual(shed);
    slot.becomeStream();
    admission.admit();
  });

  it('gives every place back once, whatever was done before', () => {
    const admission = new Admission({ requests: 1, streams: 1 });
    for (let round = 0; round < 3; round += 1) {
      const slot = begun(admission, '/v1/query');
      if (round > 0) slot.reserveStream();
      if (round > 1) slot.becomeStream();
      slot.release();
      slot.release();
      slot.becomeStream(); // its client has left in the meantime: nothing is taken
    }
    const slot = admission.admit();
    slot.becomeStream();
    admission.admit();
  });

  it('lets in fewer questions while searches are late, and everything else as before', () => {
    const admission = new Admission({ requests: 100, streams: 1, searchMs: 0.001 });
    const burst = Array.from({ length: 60 }, () => begun(admission, '/v1/search'));
    for (const slot of burst) finish(slot, true);
    const questions = Array.from({ length: 100 }, () => failure(() => begun(admission, '/v1/query')));
    expect(questions.filter(Boolean).length).toBeGreaterThan(40);
    expect(failure(() => admission.admit('/v1/documents'))).toBeUndefined();
  });

  it('knows of a question, as it lets it in, whether three quarters of the requests are taken, and forgets it with them', () => {
    const admission = new Admission({ requests: 4, streams: 100 });
    const slots = Array.from({ length: 4 }, () => begun(admission, '/v1/query'));
    expect(slots.map(({ isAmongLast }) => isAmongLast)).toEqual([false, false, false, true]);
    slots[0]!.release();
    slots[1]!.release();
    expect(begun(admission, '/v1/query').isAmongLast).toBe(false);
    expect(slots[3]!.isAmongLast).toBe(true); // it was, when it came
  });

  it('calls itself nearly full of streams alone, and never for the only one who asks', () => {
    const admission = new Admission({ requests: 100, streams: 4 });
    for (let taken = 0; taken < 3; taken += 1) {
      const slot = begun(admission, '/v1/query');
      expect(slot.isAmongLast).toBe(false);
      slot.becomeStream();
    }
    expect(begun(admission, '/v1/query').isAmongLast).toBe(true);
    expect(begun(new Admission({ requests: 1, streams: 1 }), '/v1/query').isAmongLast).toBe(false);
  });

  it('calls itself nearly full by the questions it lets in while searches are late', () => {
    const admission = new Admission({ requests: 100, streams: 1, searchMs: 0.001 });
    for (const slot of Array.from({ length: 60 }, () => begun(admission, '/v1/search'))) finish(slot, true);
    const slots = Array.from({ length: 32 }, () => begun(admission, '/v1/query'));
    expect(slots.filter(({ isAmongLast }) => isAmongLast).length).toBeGreaterThan(0);
  });

  it('takes no account of how long a refusal took', () => {
    const admission = new Admission({ requests: 100, streams: 1, searchMs: 0.001 });
    const burst = Array.from({ length: 60 }, () => begun(admission, '/v1/search'));
    for (const slot of burst) finish(slot, false);
    const questions = Array.from({ length: 100 }, () => failure(() => begun(admission, '/v1/query')));
    expect(questions.filter(Boolean)).toEqual([]);
  });
});
