import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { GrpcMethod, GrpcStreamCall } from '@nestjs/microservices';
import { documentV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import {
  CallContextInterceptor,
  RpcErrorFilter,
  grpcTransport,
  pacedStream,
  scopeOf,
  toGrpcStatus,
  type IncomingCall,
  type Outlet,
  type ServerReadableStream,
  type sendUnaryData,
} from '@ragmesh/grpc';
import { currentContext } from '@ragmesh/observability';
import { CallServer } from '../src/call-server.js';

export const PART = new Uint8Array(64 * 1024);
/** No message may be as large. */
export const TOO_LARGE = 17 * 1024 * 1024;

const nothing = { asked: 0, cancelled: 0, sent: 0, ended: 0, received: 0, running: 0, sending: 0 };

/** What the handlers saw. */
export const seen = { ...nothing };

/** Where handlers wait until they are let on. */
export const gate = Promise.withResolvers<void>();

/** Forgets what was seen, and shuts the gate. */
export function begin(): void {
  Object.assign(seen, nothing);
  Object.assign(gate, Promise.withResolvers());
}

const cancelled = (call: IncomingCall): Promise<void> =>
  new Promise((resolve) =>
    scopeOf(call).signal.addEventListener('abort', () => {
      seen.cancelled += 1;
      resolve();
    }),
  );

@Controller()
class Documents {
  @GrpcMethod('DocumentService', 'GetDocument')
  async get(request: documentV1.GetDocumentRequest, _metadata: unknown, call: IncomingCall) {
    seen.asked += 1;
    const { tenant = '', subject = '', principals = [] } = currentContext() ?? {};
    switch (request.id) {
      case 'missing':
        throw new RagmeshError('DOCUMENT.NOT_FOUND', 'There is no such document.', { id: 'missing' });
      case 'broken':
        throw new Error('Something inside');
      case 'slow':
        await cancelled(call);
        return {};
      case 'waiting':
        seen.running += 1;
        await gate.promise;
        return { title: 'at last' };
      case 'large':
        return { title: 'x'.repeat(TOO_LARGE) };
      default:
        request.id = 'changed';
        return { title: [tenant, subject, ...principals].join(' '), progress: 0.1 };
    }
  }

  @GrpcMethod('DocumentService', 'GetContent')
  content({ id }: documentV1.GetContentRequest, _metadata: unknown, call: IncomingCall & Outlet) {
    return pacedStream(this.#parts(id), call);
  }

  async *#parts(id: string) {
    try {
      const count = id === 'endless' ? Infinity : 50;
      for (seen.sent = 0; seen.sent < count; seen.sent += 1) {
        if (id === 'breaking' && seen.sent === 3) throw new RagmeshError('STORAGE.UNAVAILABLE', 'The rest is away.');
        yield { data: id === 'swelling' && seen.sent === 3 ? new Uint8Array(TOO_LARGE) : PART };
        await new Promise(setImmediate);
      }
    } finally {
      seen.ended += 1;
    }
  }

  @GrpcStreamCall('DocumentService', 'Upload')
  async upload(
    call: ServerReadableStream<documentV1.UploadRequest, documentV1.UploadResponse>,
    respond: sendUnaryData<unknown>,
  ): Promise<void> {
    let isComplete = false;
    try {
      for await (const { part } of call as AsyncIterable<documentV1.UploadRequest>) {
        if (part.case === 'header' && part.value.title === 'refused') {
          respond(toGrpcStatus(new RagmeshError('DOCUMENT.TOO_LARGE', 'The document is too large.')));
          call.resume();
          return;
        }
        if (part.case === 'data') {
          seen.sending += 1;
          await gate.promise;
        }
        seen.received += 1;
        if (part.case === 'complete') isComplete = true;
      }
      respond(null, { id: isComplete ? 'whole' : 'cut', version: BigInt(seen.received) });
    } catch (error) {
      respond(toGrpcStatus(error));
    } finally {
      seen.ended += 1;
    }
  }
}

@Module({ controllers: [Documents] })
export class Service {}

/** Answers calls at an address, as a service does. */
export async function serveDocuments(address: string) {
  const server = new CallServer(grpcTransport([documentV1.DocumentService], address, 'document'));
  const app = await NestFactory.createMicroservice(Service, { strategy: server, logger: false });
  app.useGlobalFilters(new RpcErrorFilter('document')).useGlobalInterceptors(new CallContextInterceptor());
  await app.listen();
  return { app, server };
}
