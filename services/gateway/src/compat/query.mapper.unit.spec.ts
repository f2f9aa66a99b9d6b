import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from '@jest/globals';
import { retrievalV1 } from '@ragmesh/contracts';
import { apiBody, rootBody } from './query.mapper.js';

const place = { document_id: 'sp', version: 1, start: 0, end: 25, page: null, heading: 'Budget' };
const forged = { document_id: 'evil', version: 7, start: 999, end: 1000, page: 'p', heading: 'Salaries' };
const result = create(retrievalV1.ResultSchema, {
  source: {
    id: 'sp:1:0',
    documentId: 'sp',
    version: 1n,
    text: 'Zeta spoofing budget is 5.',
    start: 0,
    end: 25,
    heading: 'Budget',
    metadata: { ...forged, year: 2020 },
  },
});
const answer = {
  text: 'It is 5.',
  results: [result],
  citations: [],
  dropped: [],
  done: create(retrievalV1.AnsweredSchema),
};

describe('a source whose document has fields named like facts of ragmesh', () => {
  it('keeps the facts at /query, beside the other fields and where there is no such fact', () => {
    expect(rootBody(answer, 1).sources[0]!.metadata).toEqual({ ...place, page: 'p', year: 2020 });
    const source = { ...result.source!, metadata: {}, heading: undefined } as never;
    const bare = rootBody({ ...answer, results: [{ ...result, source }] }, 1);
    expect(bare.sources[0]!.metadata).toEqual({ ...place, heading: null });
  });

  it('keeps the facts at /api/v1/query, where the fields stand apart', () => {
    expect(apiBody(answer, false, 'r').sources[0]).toMatchObject({ document_id: 'sp', page: null, metadata: forged });
  });
});
