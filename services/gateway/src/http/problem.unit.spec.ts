import { describe, expect, it } from '@jest/globals';
import { HttpException } from '@nestjs/common';
import { RagmeshError, errorCatalogue, type ErrorCode } from '@ragmesh/errors';
import { problemOf } from './problem.js';
import { asRequestError } from './transport-error.js';

const ids = { requestId: 'r-1', traceId: 't-1' };

describe('problemOf', () => {
  it('gives every code of the catalogue its status, advice and whether to try again', () => {
    for (const code of Object.keys(errorCatalogue) as ErrorCode[]) {
      const { status, title, help, retry } = errorCatalogue[code];
      expect(problemOf(new RagmeshError(code, 'What happened.'), ids)).toMatchObject({
        status,
        title,
        help,
        code,
        detail: 'What happened.',
        retryable: retry === 'transient',
        request_id: 'r-1',
        trace_id: 't-1',
      });
    }
  });

  it('says how long to wait where waiting helps, and null elsewhere', () => {
    expect(problemOf(new RagmeshError('OVERLOAD.SHED', 'Busy.', { retry_after: 3 }), ids).retry_after).toBe(3);
    expect(problemOf(new RagmeshError('VECTOR.UNAVAILABLE', 'Away.'), ids).retry_after).toBe(1);
    expect(problemOf(new RagmeshError('REQUEST.INVALID', 'Wrong.'), ids).retry_after).toBeNull();
  });

  it('takes the time to wait as a service behind the edge words it, in whole seconds', () => {
    const wait = (details: Record<string, string | number>) =>
      problemOf(new RagmeshError('EMBEDDING.UNAVAILABLE', 'Away.', details), ids).retry_after;
    expect(wait({ retryAfter: 20 })).toBe(20);
    expect(wait({ retryAfter: 0.2 })).toBe(1);
    expect(wait({ retry_after: 2.5, retryAfter: 20 })).toBe(3);
    expect(wait({ retryAfter: 'soon' })).toBe(1);
  });

  it('names field and limit, and no other detail', () => {
    const problem = problemOf(
      new RagmeshError('REQUEST.INVALID', 'Wrong.', { field: 'top_k', limit: 100, service: 'vector' }),
      ids,
    );
    expect(problem).toMatchObject({ field: 'top_k', limit: 100 });
    expect(problem).not.toHaveProperty('service');
  });

  it('names the condition at fault of a filter as its field', () => {
    const path = 'filters.$and[0].year.$near';
    const refused = new RagmeshError('FILTER.UNKNOWN_OPERATOR', 'Unknown.', { path, service: 'vector' });
    expect(problemOf(refused, ids)).toMatchObject({ field: path });
    expect(problemOf(new RagmeshError('BLOB.CORRUPT', 'Torn.', { path: '/data/blob' }), ids)).not.toHaveProperty(
      'field',
    );
  });
});

describe('asRequestError', () => {
  it('hides what nobody expected, and keeps it as the cause for the log', () => {
    const cause = new TypeError('secret is undefined');
    const error = asRequestError(cause);
    expect(error.code).toBe('INTERNAL.UNEXPECTED');
    expect(error.cause).toBe(cause);
    expect(JSON.stringify(problemOf(error, ids))).not.toContain('secret');
  });

  it('takes a refusal of the server as the caller’s fault', () => {
    expect(asRequestError(new HttpException('x', 404)).code).toBe('REQUEST.NOT_FOUND');
    expect(asRequestError(new HttpException('x', 415)).code).toBe('REQUEST.UNSUPPORTED_MEDIA_TYPE');
    expect(asRequestError(new HttpException('x', 400)).code).toBe('REQUEST.MALFORMED');
    expect(asRequestError(Object.assign(new Error('x'), { statusCode: 400, code: 'FST_ERR_BAD_URL' })).code).toBe(
      'REQUEST.MALFORMED',
    );
  });
});
