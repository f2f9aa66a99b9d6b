import { STATUS_CODES } from 'node:http';
import { errorCatalogue, type ErrorCode } from '@ragmesh/errors';
import type { z } from 'zod';
import type { DescribedRoute } from './described-routes.js';
import { problemShape, type ErrorShape } from '../http/error-shape.js';
import { idSchema } from '../api/paging.schema.js';
import { jsonSchema, type Json } from './json-schema.js';
import { problemSchema } from './problem.schema.js';
import type { Answer } from './describe.js';
import { securityOf, securityProblems, securitySchemes, type SecurityScheme } from './security.js';

const HEADER_NAMES: Readonly<Record<string, string>> = {
  'idempotency-key': 'Idempotency-Key',
  'if-none-match': 'If-None-Match',
};
const common: readonly ErrorCode[] = [
  'REQUEST.HEADERS_TOO_LARGE',
  'REQUEST.TIMEOUT',
  'OVERLOAD.SHED',
  'QUOTA.REQUESTS_EXCEEDED',
  'QUOTA.TOKENS_EXCEEDED',
  'AUTH.FOREIGN_PAGE',
  'STORAGE.UNAVAILABLE',
  'DEPENDENCY.UNAVAILABLE',
  'DEPENDENCY.MESSAGE_TOO_LARGE',
  'INTERNAL.UNEXPECTED',
];
const ofBodies: readonly ErrorCode[] = [
  'REQUEST.MALFORMED',
  'REQUEST.TOO_LARGE',
  'REQUEST.TOO_DEEP',
  'REQUEST.UNSUPPORTED_MEDIA_TYPE',
];

/** The OpenAPI 3.1 document of these routes. */
export function openApiDocument(routes: readonly DescribedRoute[], credentials: readonly SecurityScheme[] = []): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes)
    (paths[route.path] ??= {})[route.method.toLowerCase()] = {
      ...operation(route, credentials),
      ...securityOf(route, credentials),
    };
  return {
    openapi: '3.1.0',
    info: {
      title: 'ragmesh',
      version: '1',
      description:
        'Documents in, answers out that cite their source. Every failure is an RFC 9457 problem with a stable code.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths,
    components: { schemas: { Problem: jsonSchema(problemSchema, 'output') }, securitySchemes },
  };
}

function operation(route: DescribedRoute, credentials: readonly SecurityScheme[]): Json {
  const { path, id, description } = route;
  const { summary, tag, body, example } = description;
  const parameters = [
    ...pathParameters(path, description.path),
    ...parametersIn('query', description.query),
    ...parametersIn('header', description.headers),
  ];
  return {
    operationId: id,
    summary,
    tags: [tag],
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body ? { requestBody: { required: isNeeded(body), content: contentOf(body, example) } } : {}),
    responses: {
      ...answers(description.answers),
      ...problems([...problemCodes(route), ...securityProblems(route, credentials)], description.errors),
    },
  };
}

const isNeeded = (body: Readonly<Record<string, z.ZodType>>): boolean =>
  Object.values(body).every((schema) => !schema.safeParse(undefined).success);

function contentOf(body: Readonly<Record<string, z.ZodType>>, example: unknown): Json {
  return Object.fromEntries(
    Object.entries(body).map(([type, schema]) => {
      const shown = type === 'application/json' && example !== undefined ? { example } : {};
      return [type, { schema: jsonSchema(schema, 'input'), ...shown }];
    }),
  );
}

const pathParameters = (path: string, own: z.ZodObject | undefined): Json[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: jsonSchema(own?.shape[name!] ?? idSchema, 'output'),
  }));

function parametersIn(where: 'query' | 'header', schema: z.ZodObject | undefined): Json[] {
  if (!schema) return [];
  const { properties = {} } = jsonSchema(schema, 'input') as { properties?: Record<string, Json> };
  const output = jsonSchema(schema, 'output') as { properties?: Record<string, Json> };
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...rest } = { ...(output.properties?.[name] ?? {}), ...property } as Json;
    return {
      name: HEADER_NAMES[name] ?? name,
      in: where,
      required: false,
      ...(description ? { description } : {}),
      schema: rest,
    };
  });
}

function answers(list: readonly Answer[]): Json {
  const byStatus: Record<string, { description: string; headers?: Json; content?: Json }> = {};
  for (const { status, description, schema, type, headers } of list) {
    const entry = (byStatus[status] ??= { description });
    if (headers) entry.headers = responseHeaders(headers);
    if (!schema && !type) continue;
    const media = schema ? shaped(jsonSchema(schema, 'output'), type) : unshaped(type);
    entry.content = { ...entry.content, [type ?? 'application/json']: media };
  }
  return byStatus;
}

function responseHeaders(schema: z.ZodObject): Json {
  const { properties = {} } = jsonSchema(schema, 'output') as { properties?: Record<string, Json> };
  return Object.fromEntries(
    Object.entries(properties).map(([name, { description, ...rest }]) => [name, { description, schema: rest }]),
  );
}

/** OpenAPI 3.1 has no word for the events of a stream, only for the stream as a whole. */
const shaped = (schema: Json, type: string | undefined): Json =>
  type === 'text/event-stream' ? { 'x-item-schema': schema } : { schema };

/** An answer nobody gave a schema: JSON is an object; of what is streamed or of any type, nothing is promised. */
function unshaped(type: string | undefined): Json {
  if (type === 'application/json') return { schema: { type: 'object' } };
  return type?.startsWith('text/') && type !== 'text/event-stream' ? { schema: { type: 'string' } } : {};
}

function problemCodes({ method, path, description }: DescribedRoute): ErrorCode[] {
  const { problems: own, query, body, tag } = description;
  if (tag === 'Server') return ['REQUEST.HEADERS_TOO_LARGE', 'INTERNAL.UNEXPECTED'];
  const hasId = path.includes('{');
  const readsInput = hasId || query !== undefined || body !== undefined || method !== 'GET';
  return [
    ...(readsInput || own.length > 0 ? (['REQUEST.INVALID'] as const) : []),
    ...(hasId ? (['REQUEST.MALFORMED'] as const) : []),
    ...(body ? ofBodies : []),
    ...own,
    ...common,
  ];
}

/** One response per status, with every code it can carry. */
function problems(codes: readonly ErrorCode[], shape: ErrorShape = problemShape): Json {
  const statusOf = (code: ErrorCode): string => String(shape.statusOf(errorCatalogue[code].status));
  const byStatus = Object.groupBy([...new Set(codes)], statusOf);
  const schemaOf = (list: readonly ErrorCode[]): Json =>
    shape === problemShape ? problemOfCodes(list) : jsonSchema(shape.schema, 'output');
  return Object.fromEntries(
    Object.entries(byStatus).map(([status, list = []]) => [
      status,
      {
        description: `${STATUS_CODES[status] ?? 'Problem'}: ${list.join(', ')}`,
        content: { [shape.mediaType]: { schema: schemaOf(list) } },
      },
    ]),
  );
}

const problemOfCodes = (list: readonly ErrorCode[]): Json => ({
  allOf: [{ $ref: '#/components/schemas/Problem' }, { properties: { code: { enum: list } } }],
});
