import type { ErrorCode } from '@ragmesh/errors';
import type { z } from 'zod';
import type { ErrorShape } from '../http/error-shape.js';

/** One way a route answers. */
export interface Answer {
  readonly status: number;
  readonly description: string;
  /** Absent for an answer without a body. */
  readonly schema?: z.ZodType;
  /** Media type; `application/json` when absent. */
  readonly type?: string;
  /** Headers of this answer alone. */
  readonly headers?: z.ZodObject;
}

/** What the API document says of a route beyond its path and method, which are read from Nest's own decorators. */
export interface RouteDescription {
  readonly summary: string;
  readonly tag:
    | 'OpenAI'
    | 'Existing clients'
    | 'Documents'
    | 'Operations'
    | 'Collections'
    | 'Answers'
    | 'Administration'
    | 'Server';
  /** Parameters of the path that are no ids of the usual kind. */
  readonly path?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly headers?: z.ZodObject;
  /** Request bodies by media type. */
  readonly body?: Readonly<Record<string, z.ZodType>>;
  readonly example?: unknown;
  readonly answers: readonly Answer[];
  readonly problems: readonly ErrorCode[];
  /** How failures are worded, where that is not as problems. */
  readonly errors?: ErrorShape;
}

const descriptions = new WeakMap<object, RouteDescription>();

/** Describes a handler where it stands, so that code and document cannot drift apart unseen. */
export const Describe =
  (description: RouteDescription): MethodDecorator =>
  (_target, _name, descriptor) => {
    descriptions.set(descriptor.value as object, description);
  };

/** @returns undefined for a handler nobody described. */
export const descriptionOf = (handler: object): RouteDescription | undefined => descriptions.get(handler);
