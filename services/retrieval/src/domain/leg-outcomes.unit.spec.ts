import { describe, expect, it } from '@jest/globals';
import { RagmeshError } from '@ragmesh/errors';
import { usableLegs, type LegOutcome } from './leg-outcomes.js';
import { point } from './points.fixture.js';

const found: LegOutcome = { status: 'fulfilled', value: [point('a', 0.9)] };
const nothing: LegOutcome = { status: 'fulfilled', value: [] };
const failed = (code: ConstructorParameters<typeof RagmeshError>[0]): LegOutcome => ({
  status: 'rejected',
  reason: new RagmeshError(code, 'It failed.'),
});
const codeOf = (code: string) => expect.objectContaining({ code });

describe('usableLegs', () => {
  it('uses both legs, also when one of them found nothing', () => {
    expect(usableLegs(found, nothing)).toMatchObject({ missing: null, lexical: [] });
  });

  it.each(['EMBEDDING.UNAVAILABLE', 'VECTOR.UNAVAILABLE', 'VECTOR.DIMENSION_MISMATCH', 'MODEL.CORRUPT'] as const)(
    'goes on with words alone after %s in the dense leg',
    (code) => {
      expect(usableLegs(failed(code), found)).toMatchObject({
        missing: 'dense',
        dense: [],
        lexical: [{ pointId: 'a' }],
      });
    },
  );

  it('goes on with meaning alone when the lexical leg fails', () => {
    expect(usableLegs(found, failed('VECTOR.UNAVAILABLE'))).toMatchObject({ missing: 'lexical', lexical: [] });
  });

  it('fails with the index, not with the embedding, when nothing is left', () => {
    const attempt = () => usableLegs(failed('EMBEDDING.UNAVAILABLE'), failed('VECTOR.UNAVAILABLE'));
    expect(attempt).toThrow(codeOf('VECTOR.UNAVAILABLE'));
  });

  it('fails when the only leg asked fails', () => {
    expect(() => usableLegs(failed('EMBEDDING.UNAVAILABLE'), undefined)).toThrow(codeOf('EMBEDDING.UNAVAILABLE'));
    expect(() => usableLegs(undefined, failed('VECTOR.UNAVAILABLE'))).toThrow(codeOf('VECTOR.UNAVAILABLE'));
  });

  it.each(['FILTER.UNKNOWN_OPERATOR', 'FILTER.INVALID', 'REQUEST.INVALID', 'REQUEST.CANCELLED'] as const)(
    'passes %s on, whatever the other leg found',
    (code) => {
      expect(() => usableLegs(found, failed(code))).toThrow(codeOf(code));
      expect(() => usableLegs(failed(code), found)).toThrow(codeOf(code));
    },
  );
});
