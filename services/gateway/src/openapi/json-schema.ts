import { z } from 'zod';

export type Json = Record<string, unknown>;

/**
 * Unicode classes of patterns, spelt out: few clients' regular expressions know them by name. Halves of surrogate pairs are left
 * out, since no UTF-8 text has any.
 */
const classes: Readonly<Record<string, string>> = {
  '\\p{Cc}': String.raw`\u0000-\u001f\u007f-\u009f`,
  '\\p{Cs}': '',
};

/** Schema as JSON Schema 2020-12, which OpenAPI 3.1 takes as it is. */
export function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const override = ({ zodSchema, jsonSchema: made }: { zodSchema: z.core.$ZodTypes; jsonSchema: Json }): void => {
    if (zodSchema._zod.def.type === 'file')
      Object.assign(made, { type: 'string', contentMediaType: 'application/octet-stream' });
  };
  const made = z.toJSONSchema(schema, { io, unrepresentable: 'any', override: override as never });
  const { $schema: _, $defs: _definitions, ...rest } = portable(made) as Json;
  return rest;
}

/**
 * The one thing of ours that refers to itself is `z.json()`, any JSON: the empty schema says the same, and needs no reference,
 * which in OpenAPI would have to start at the root of the whole document.
 */
function portable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(portable);
  if (typeof value !== 'object' || value === null) return value;
  if ('$ref' in value && String(value.$ref).startsWith('#/$defs/')) return {};
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      key,
      key === 'pattern' && typeof member === 'string' ? spelledOut(member) : portable(member),
    ]),
  );
}

const spelledOut = (pattern: string): string =>
  Object.entries(classes).reduce((text, [name, characters]) => text.replaceAll(name, characters), pattern);
