import type { PipeTransform } from '@nestjs/common';
import { RagmeshError } from '@ragmesh/errors';
import type { z } from 'zod';
import { memberPath } from './storable-values.js';

type Issue = z.core.$ZodIssue;

const pathOf = (path: readonly PropertyKey[]): string =>
  path.reduce<string>((parent, key) => memberPath(parent, typeof key === 'number' ? key : String(key)), '');

const limitOf = (issue: Issue): number | undefined => {
  if (issue.code === 'too_big') return Number(issue.maximum);
  return issue.code === 'too_small' ? Number(issue.minimum) : undefined;
};

const nouns: Readonly<Record<string, string>> = { string: 'character', array: 'item' };

function unit(issue: { readonly origin: string }, count: number): string {
  const noun = nouns[issue.origin];
  return noun ? ` ${noun}${count === 1 ? '' : 's'} long` : '';
}

/** zod calls an object with free names a record. */
const kindOf = (expected: string): string =>
  expected === 'object' || expected === 'record' ? 'an object' : `of type ${expected}`;

function sentence(issue: Issue, field: string): string {
  const name = field === '' ? 'The request body' : `Field ${field}`;
  // eslint-disable-next-line @typescript-eslint/switch-exhaustiveness-check -- zod's own sentence serves for rarer faults
  switch (issue.code) {
    case 'too_big':
      return `${name} must be at most ${issue.maximum}${unit(issue, Number(issue.maximum))}.`;
    case 'too_small':
      return `${name} must be at least ${issue.minimum}${unit(issue, Number(issue.minimum))}.`;
    case 'unrecognized_keys':
      return `Field ${field} is unknown.`;
    case 'invalid_value':
      return `${name} must be one of ${issue.values.map(String).join(', ')}.`;
    case 'invalid_type':
      return `${name} must be ${kindOf(issue.expected)}${issue.input === undefined ? ' and is required' : ''}.`;
    case 'custom':
      return issue.message;
    default:
      return `${name} is invalid: ${issue.message.replace(/\.?$/, '.')}`;
  }
}

/**
 * `value` in the shape of `schema`.
 * @param name of a single value, a path parameter say.
 * @throws RagmeshError REQUEST.INVALID that names the first field at fault, and the limit where one was passed.
 */
export function validate<Schema extends z.ZodType>(schema: Schema, value: unknown, name = ''): z.output<Schema> {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const path = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0]!] : issue.path;
  const field = pathOf(name === '' ? path : [name, ...path]);
  const limit = limitOf(issue);
  throw new RagmeshError('REQUEST.INVALID', sentence(issue, field), {
    field: field || 'body',
    ...(limit === undefined ? {} : { limit }),
  });
}

/** Pipe for a body, query or parameter: what a handler gets has passed `schema`. */
export const valid = <Schema extends z.ZodType>(schema: Schema): PipeTransform<unknown, z.output<Schema>> => ({
  transform: (value, { data }) => validate(schema, value, data),
});
