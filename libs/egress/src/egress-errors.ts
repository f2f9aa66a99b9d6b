import { STATUS_CODES } from 'node:http';
import { RagmeshError, isRagmeshError } from '@ragmesh/errors';

/** Words for the one who gave the URL. Nothing here tells an internal host that is closed from one that is not there. */
const refused = (sentence: string): RagmeshError => new RagmeshError('EGRESS.REFUSED', sentence);

export const wrongScheme = (): RagmeshError =>
  refused('The URL must be well-formed and begin with http:// or https://.');
export const withCredentials = (): RagmeshError => refused('The URL must not hold a user name or a password.');
export const wrongPort = (ports: readonly number[]): RagmeshError =>
  refused(`The URL names a port other than ${ports.join(' and ')}.`);
export const closedAddress = (): RagmeshError =>
  refused('The URL names a host that nothing is fetched from: it is unknown, or one of its addresses is not public.');
export const wrongRedirect = (): RagmeshError =>
  refused('The URL redirects to an address that nothing is fetched from.');

const rejected = (sentence: string): RagmeshError => new RagmeshError('EGRESS.REJECTED', sentence);

export const tooManyRedirects = (limit: number): RagmeshError =>
  new RagmeshError('EGRESS.REJECTED', `The URL redirects more than ${limit} times.`, { limit });
export const unknownEncoding = (): RagmeshError =>
  rejected('The server of the URL sends its content in an encoding that was not asked for.');

export const tooLarge = (limit: number): RagmeshError =>
  new RagmeshError('EGRESS.TOO_LARGE', `The content behind the URL is larger than ${limit} bytes.`, { limit });

export const timedOut = (seconds: number): RagmeshError =>
  new RagmeshError('EGRESS.TIMEOUT', `The server of the URL was not done within ${seconds} seconds.`, {
    limit: seconds,
  });
export const noFirstByte = (seconds: number): RagmeshError =>
  new RagmeshError('EGRESS.TIMEOUT', `The server of the URL gave no answer within ${seconds} seconds.`, {
    limit: seconds,
  });
export const cancelled = (): RagmeshError =>
  new RagmeshError('REQUEST.CANCELLED', 'The URL is no longer fetched: nobody waits for it.');

/** What an answer other than content means: what the server may do differently next time, or will not. */
export function statusError(status: number): RagmeshError {
  const answer = `${status}${STATUS_CODES[status] ? ` ${STATUS_CODES[status]}` : ''}`;
  const mayPass = status >= 500 || status === 429 || status === 408;
  return new RagmeshError(
    mayPass ? 'EGRESS.UNAVAILABLE' : 'EGRESS.REJECTED',
    `The server of the URL answered ${answer} instead of content.`,
    { status },
  );
}

export const brokenOff = (cause?: unknown): RagmeshError =>
  new RagmeshError('EGRESS.UNAVAILABLE', 'The server of the URL broke its answer off.', {}, { cause });

const certificateFaults = /CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET)|ALTNAME|ERR_SSL|EPROTO/;
const cutOff = /^(ECONNRESET|EPIPE|ERR_STREAM_PREMATURE_CLOSE|Z_BUF_ERROR)$/;

/** The failure of a connection or of a body in ragmesh's terms; one that already is stays what it is. */
export function networkError(cause: unknown): RagmeshError {
  if (isRagmeshError(cause)) return cause;
  const code = String((cause as { code?: unknown } | null)?.code ?? '');
  const because = { cause };
  if (cutOff.test(code)) return brokenOff(cause);
  if (certificateFaults.test(code)) {
    const sentence = 'The server of the URL proves by no valid certificate that it is the one named.';
    return new RagmeshError('EGRESS.REJECTED', sentence, {}, because);
  }
  if (code.startsWith('HPE_') || code.startsWith('Z_') || code.startsWith('ERR_')) {
    return new RagmeshError('EGRESS.REJECTED', 'The server of the URL sends damaged data.', {}, because);
  }
  return new RagmeshError('EGRESS.UNAVAILABLE', 'The server of the URL cannot be reached.', {}, because);
}
