import { describe, expect, it } from '@jest/globals';
import { Admission } from './admission.js';

const shed = expect.objectContaining({ code: 'OVERLOAD.SHED', details: expect.objectContaining({ retry_after: 1 }) });
const failure = (work: () => unknown): unknown => {
  try {
    return void work();
  } catch (error) {
    return error;
  }
};

describe('Admission', () => {
  it('refuses a stream before any work is done for it, and keeps the place of one that was promised', () => {
    const admission = new Admission({ requests: 10, streams: 1 });
    const first = admission.admit('/v1/query');
    first.reserveStream();
    const second = admission.admit('/v1/query');
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
      const slot = admission.admit('/v1/query');
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
    const burst = Array.from({ length: 60 }, () => admission.admit('/v1/search'));
    for (const slot of burst) slot.release(true);
    const questions = Array.from({ length: 100 }, () => failure(() => admission.admit('/v1/query')));
    expect(questions.filter(Boolean).length).toBeGreaterThan(40);
    expect(failure(() => admission.admit('/v1/documents'))).toBeUndefined();
  });

  it('takes no account of how long a refusal took', () => {
    const admission = new Admission({ requests: 100, streams: 1, searchMs: 0.001 });
    const burst = Array.from({ length: 60 }, () => admission.admit('/v1/search'));
    for (const slot of burst) slot.release(false);
    const questions = Array.from({ length: 100 }, () => failure(() => admission.admit('/v1/query')));
    expect(questions.filter(Boolean)).toEqual([]);
  });
});
