import { HttpException } from '@nestjs/common';
import { RagmeshError } from '@ragmesh/errors';
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { MAX_JSON_BYTES, parseJsonBody } from './json-body.js';

/** Marks a route that takes whole documents as JSON; see {@link raiseBodyLimit}. */
export const takesDocuments = { takesDocuments: true } as const;

/** Marks a route that takes many texts as JSON, and no form. */
export const takesTexts = { takesTexts: true } as const;

/** Reads JSON with limits, leaves multipart to the upload routes, and refuses every other type of body. */
export function useBodyParsers(app: NestFastifyApplication): void {
  const server = app.getHttpAdapter().getInstance();
  server.removeContentTypeParser('text/plain');
  app.useBodyParser('application/json', { bodyLimit: MAX_JSON_BYTES }, (_request, body, done) => {
    try {
      done(null, parseJsonBody(body as Buffer));
    } catch (error) {
      done(error as Error);
    }
  });
  app.useBodyParser('application/x-www-form-urlencoded', {}, (request, _body, done) => {
    done(unreadableBody(request as FastifyRequest));
  });
}

/** Bodies are not decompressed: a small one could become a very large one. */
export function refuseEncodedBodies(server: FastifyInstance): void {
  server.addHook('preParsing', ({ headers }, reply, _payload, done) => {
    const { 'content-encoding': coding = '', 'content-length': length = '0', 'transfer-encoding': transfer } = headers;
    const hasBody = length !== '0' || transfer !== undefined;
    if (!hasBody || ['', 'identity'].includes(coding.trim().toLowerCase())) return done();
    void reply.header('accept-encoding', 'identity');
    const detail = 'Bodies are read as they are: send this one without Content-Encoding.';
    done(new RagmeshError('REQUEST.UNSUPPORTED_MEDIA_TYPE', detail, { field: 'Content-Encoding' }));
  });
}

/** Form data is read where documents are taken, and nowhere else. */
export function refuseStrayForms(server: FastifyInstance): void {
  server.addHook('preValidation', (request, _reply, done) => {
    const isStray = request.isMultipart() && !takesWholeDocuments(request.routeOptions.config);
    done(isStray ? unreadableBody(request) : undefined);
  });
}

function unreadableBody({ routeOptions }: FastifyRequest): RagmeshError {
  const types = `application/json${takesWholeDocuments(routeOptions.config) ? ' and multipart/form-data' : ''}`;
  return new RagmeshError('REQUEST.UNSUPPORTED_MEDIA_TYPE', `This route reads bodies of Content-Type ${types}.`, {
    field: 'Content-Type',
  });
}

const isMarked = (config: unknown, mark: string): boolean =>
  typeof config === 'object' && config !== null && mark in config;
const takesWholeDocuments = (config: unknown): boolean => isMarked(config, 'takesDocuments');
const takesMuchJson = (config: unknown): boolean => takesWholeDocuments(config) || isMarked(config, 'takesTexts');

/** Gives a route that takes documents or texts the limit of documents, before the router sees it. */
export function raiseBodyLimit(route: RouteOptions, bytes: number): void {
  if (takesMuchJson(route.config)) route.bodyLimit = bytes;
}

/** What Fastify refuses a body with, saying what the route takes, as its own errors do not; undefined for any other failure. */
export function refusalOfBody(thrown: unknown, request: FastifyRequest): RagmeshError | undefined {
  const status = thrown instanceof HttpException ? thrown.getStatus() : 0;
  if (status === 415) return unreadableBody(request);
  return status === 413 && !request.isMultipart() ? bodyTooLarge(request) : undefined;
}

function bodyTooLarge({ routeOptions }: FastifyRequest): RagmeshError {
  const isDocument = takesWholeDocuments(routeOptions.config);
  const limit = takesMuchJson(routeOptions.config) ? (routeOptions.bodyLimit ?? MAX_JSON_BYTES) : MAX_JSON_BYTES;
  const advice = isDocument ? ' Send larger documents as multipart/form-data.' : '';
  return new RagmeshError('REQUEST.TOO_LARGE', `The JSON body is larger than ${limit} bytes.${advice}`, {
    field: 'body',
    limit,
  });
}
