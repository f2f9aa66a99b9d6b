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
  app.useBodyParser('application/x-www-form-urlencoded', {}, (_request, _body, done) => {
    done(unreadable('Form-encoded'));
  });
}

/** Form data is read where documents are taken, and nowhere else. */
export function refuseStrayForms(server: FastifyInstance): void {
  server.addHook('preValidation', (request, _reply, done) => {
    const isStray = request.isMultipart() && !takesWholeDocuments(request.routeOptions.config);
    done(isStray ? unreadable('Multipart') : undefined);
  });
}

const unreadable = (what: string): RagmeshError =>
  new RagmeshError('REQUEST.UNSUPPORTED_MEDIA_TYPE', `${what} bodies are not read here; see Content-Type.`, {
    field: 'Content-Type',
  });

const isMarked = (config: unknown, mark: string): boolean =>
  typeof config === 'object' && config !== null && mark in config;
const takesWholeDocuments = (config: unknown): boolean => isMarked(config, 'takesDocuments');
const takesMuchJson = (config: unknown): boolean => takesWholeDocuments(config) || isMarked(config, 'takesTexts');

/** Gives a route that takes documents or texts the limit of documents, before the router sees it. */
export function raiseBodyLimit(route: RouteOptions, bytes: number): void {
  if (takesMuchJson(route.config)) route.bodyLimit = bytes;
}

/** The error for a body over the limit of its route; Fastify's own names neither route nor limit. */
export function bodyTooLarge({ routeOptions }: FastifyRequest): RagmeshError {
  const isDocument = takesWholeDocuments(routeOptions.config);
  const limit = takesMuchJson(routeOptions.config) ? (routeOptions.bodyLimit ?? MAX_JSON_BYTES) : MAX_JSON_BYTES;
  const advice = isDocument ? ' Send larger documents as multipart/form-data.' : '';
  return new RagmeshError('REQUEST.TOO_LARGE', `The JSON body is larger than ${limit} bytes.${advice}`, {
    field: 'body',
    limit,
  });
}
