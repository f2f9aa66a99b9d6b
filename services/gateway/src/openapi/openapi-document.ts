import { STATUS_CODES } from 'node:http';
import { errorCatalogue, type ErrorCode } from '@ragmesh/errors';
import { z } from 'zod';
import type { DescribedRoute } from './described-routes.js';
import { problemShape, type ErrorShape } from '../http/error-shape.js';
import { problemSchema } from './problem.schema.js';
import type { Answer } from './describe.js';
import { securityOf, securityProblems, securitySchemes, type SecurityScheme } from './security.js';

type Json = Record<string, unknown>;

const HEADER_NAMES: Readonly<Record<string, string>> = { 'idempotency-key': 'Idempotency-Key' };
const common: readonly ErrorCode[] = [
  'REQUEST.TIMEOUT',
  'OVERLOAD.SHED',
  'DEPENDENCY.UNAVAILABLE',
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

/** Schema as JSON Schema 2020-12, which OpenAPI 3.1 takes as it is. */
function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const override = ({ zodSchema, jsonSchema: made }: { zodSchema: z.core.$ZodTypes; jsonSchema: Json }): void => {
    if (zodSchema._zod.def.type === 'file')
      Object.assign(made, { type: 'string', contentMediaType: 'application/octet-stream' });
  };
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any', override: override as never });
  return rest;
}

function operation(route: DescribedRoute, credentials: readonly SecurityScheme[]): Json {
  const { method, path, id, description } = route;
  const { summary, tag, body, example } = description;
  const parameters = [
    ...pathParameters(path),
    ...parametersIn('query', description.query),
    ...parametersIn('header', description.headers),
  ];
  return {
    operationId: id,
    summary,
    tags: [tag],
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body ? { requestBody: { required: true, content: contentOf(body, example) } } : {}),
    responses: {
      ...answers(description.answers),
      ...problems([...problemCodes(method, description), ...securityProblems(route, credentials)], description.errors),
    },
  };
}

function contentOf(body: Readonly<Record<string, z.ZodType>>, example: unknown): Json {
  return Object.fromEntries(
    Object.entries(body).map(([type, schema]) => {
      const shown = type === 'application/json' && example !== undefined ? { example } : {};
      return [type, { schema: jsonSchema(schema, 'input'), ...shown }];
    }),
  );
}

const pathParameters = (path: string): Json[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', minLength: 1, maxLength: 200 },
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
  const byStatus: Record<string, { description: string; content?: Json }> = {};
  for (const { status, description, schema, type } of list) {
    const entry = (byStatus[status] ??= { description });
    if (!schema && !type) continue;
    const media = schema ? { schema: jsonSchema(schema, 'output') } : { schema: { type: 'string' } };
    entry.content = { ...entry.content, [type ?? 'application/json']: media };
  }
  return byStatus;
}

function problemCodes(method: string, { problems: own, query, body, tag }: DescribedRoute['description']): ErrorCode[] {
  if (tag === 'Server') return ['INTERNAL.UNEXPECTED'];
  const readsInput = query !== undefined || body !== undefined || method !== 'GET';
  return [
    ...(readsInput || own.length > 0 ? (['REQUEST.INVALID'] as const) : []),
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
