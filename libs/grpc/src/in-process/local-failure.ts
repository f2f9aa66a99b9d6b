import { Metadata, status, type ServiceError } from '@grpc/grpc-js';

/** A failure of a call as its caller gets it. */
export const failureOf = (code: status, details: string, metadata = new Metadata()): ServiceError =>
  Object.assign(new Error(details), { code, details, metadata });

/** What a handler failed with, as its caller gets it: a status as it is, anything else as no more than a failure. */
export function asFailure(error: unknown): ServiceError {
  const { code, details, metadata } = error as Partial<ServiceError>;
  if (typeof code !== 'number') return failureOf(status.UNKNOWN, 'The handler failed.');
  return failureOf(code, String(details), metadata ?? new Metadata());
}
