import { describe, expect, it } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { RagmeshError } from '@ragmesh/errors';
import { fromGrpcError, toGrpcStatus } from './grpc-error.js';
import { failureOf } from './in-process/local-failure.js';

describe('the failure of a call', () => {
  it.each([
    [status.CANCELLED, true, 'REQUEST.CANCELLED', 'permanent'],
    [status.CANCELLED, false, 'DEPENDENCY.UNAVAILABLE', 'transient'],
    [status.UNAVAILABLE, true, 'DEPENDENCY.UNAVAILABLE', 'transient'],
    [status.RESOURCE_EXHAUSTED, false, 'DEPENDENCY.MESSAGE_TOO_LARGE', 'permanent'],
    [status.DEADLINE_EXCEEDED, false, 'REQUEST.TIMEOUT', 'transient'],
  ])('of status %i that no service explains, cancelled here: %p, is %s', (code, isCancelled, meaning, retry) => {
    const error = fromGrpcError(failureOf(code, ''), 'document', isCancelled);
    expect(error).toMatchObject({ code: meaning, retry, details: { service: 'document' } });
  });

  it.each(['REQUEST.CANCELLED', 'STORAGE.FULL'] as const)('is %s if the service says so', (said) => {
    const { code, details, metadata } = toGrpcStatus(new RagmeshError(said, 'As the service says.'));
    const error = fromGrpcError(failureOf(code, details, metadata), 'document', false);
    expect(error).toMatchObject({ code: said, message: 'As the service says.' });
  });
});
