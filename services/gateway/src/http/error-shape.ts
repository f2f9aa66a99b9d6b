import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { problemSchema } from '../openapi/problem.schema.js';
import { encodeEvent } from './event-stream.js';
import type { Problem } from './problem.js';

/** How a family of routes words its failures. Clients of other systems know no problem bodies. */
export interface ErrorShape {
  readonly mediaType: string;
  readonly schema: z.ZodType;
  /** The status this family gives to what is `status` elsewhere. */
  statusOf(status: number): number;
  body(problem: Problem): unknown;
  /** The last block of an event stream that fails. */
  lastEvent(problem: Problem): string;
}

/** RFC 9457, unless a route says otherwise. */
export const problemShape: ErrorShape = {
  mediaType: 'application/problem+json',
  schema: problemSchema,
  statusOf: (status) => status,
  body: (problem) => problem,
  lastEvent: (problem) => encodeEvent('error', problem),
};

/** Configuration of a route whose failures have another shape; see RouteConfig. */
export const failsAs = (errorShape: ErrorShape): { readonly errorShape: ErrorShape } => ({ errorShape });

/** The shape of failures at the route of a request, also before its handler runs. */
export function errorShapeOf({ routeOptions }: Pick<FastifyRequest, 'routeOptions'>): ErrorShape {
  const config = routeOptions?.config as { readonly errorShape?: ErrorShape } | undefined;
  return config?.errorShape ?? problemShape;
}
