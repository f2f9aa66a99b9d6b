import type { Socket } from 'node:net';
import { RagmeshError } from '@ragmesh/errors';
import type { FastifyInstance } from 'fastify';
import { problemOf } from './problem.js';
import { requestIdFrom } from './request-id.js';

interface ParserError extends Error {
  readonly code?: string;
}

/** Answers what Node's parser refused before there was a request, in the words of all other refusals, and hangs up. */
export function answerUnreadableRequests({ server }: FastifyInstance): void {
  server.removeAllListeners('clientError');
  server.on('clientError', (error: ParserError, socket: Socket) => {
    if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) return void socket.destroy();
    const requestId = requestIdFrom(undefined);
    const problem = problemOf(meaningOf(error), { requestId, traceId: '' });
    const body = JSON.stringify(problem);
    const head = [
      `HTTP/1.1 ${problem.status} ${problem.title}`,
      'content-type: application/problem+json; charset=utf-8',
      `content-length: ${Buffer.byteLength(body)}`,
      `x-request-id: ${requestId}`,
      'x-content-type-options: nosniff',
      'connection: close',
    ];
    socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  });
}

function meaningOf({ code }: ParserError): RagmeshError {
  if (code === 'HPE_HEADER_OVERFLOW')
    return new RagmeshError('REQUEST.HEADERS_TOO_LARGE', 'The URL and the headers are larger than 16384 bytes.', {
      field: 'headers',
      limit: 16_384,
    });
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new RagmeshError('REQUEST.MALFORMED', 'The request did not arrive whole in time.');
  return new RagmeshError('REQUEST.MALFORMED', 'The request is not well-formed HTTP.');
}
