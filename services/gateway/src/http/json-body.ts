import { RagmeshError } from '@ragmesh/errors';
import { hasMoreValuesThan, isNestedDeeperThan } from './json-scan.js';
import { refuseUnstorable } from './storable-values.js';

/** Deepest nesting of arrays and objects in a JSON body. */
export const MAX_JSON_DEPTH = 32;
/** Largest JSON body, in bytes, on routes that upload no document. */
export const MAX_JSON_BYTES = 1024 * 1024;

/** Most values in a JSON body: fifty for each of the most chunks that one upload brings. */
export const MAX_JSON_VALUES = 500_000;

/** What stands in a field of its own may nest as deep as it could inside a body. */
export const MAX_FIELD_DEPTH = MAX_JSON_DEPTH - 1;

/** The refusal of a field whose JSON nests deeper than {@link MAX_FIELD_DEPTH}. */
export const fieldTooDeep = (field: string): RagmeshError =>
  new RagmeshError('REQUEST.TOO_DEEP', `Field ${field} nests deeper than ${MAX_FIELD_DEPTH} levels.`, {
    field,
    limit: MAX_FIELD_DEPTH,
  });

const malformed = (detail: string): RagmeshError => new RagmeshError('REQUEST.MALFORMED', detail);

/**
 * Reads a JSON body that a stranger sent. An empty one is undefined.
 * @throws RagmeshError REQUEST.TOO_DEEP, REQUEST.TOO_LARGE, REQUEST.MALFORMED, or REQUEST.INVALID naming a field with an unstorable value.
 */
export function parseJsonBody(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  if (isNestedDeeperThan(bytes, MAX_JSON_DEPTH)) {
    throw new RagmeshError('REQUEST.TOO_DEEP', `The JSON body nests deeper than ${MAX_JSON_DEPTH} levels.`, {
      field: 'body',
      limit: MAX_JSON_DEPTH,
    });
  }
  if (hasMoreValuesThan(bytes, MAX_JSON_VALUES)) {
    throw new RagmeshError('REQUEST.TOO_LARGE', `The JSON body holds more than ${MAX_JSON_VALUES} values.`, {
      field: 'body',
      limit: MAX_JSON_VALUES,
    });
  }
  const value = parse(decode(bytes));
  refuseUnstorable(value);
  return value;
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw malformed('The JSON body is not valid UTF-8.');
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A bare NUL is no JSON; read as its escape, it gets the same answer as one, with the name of its field.
    if (text.includes('\0')) refuseEscaped(text);
    throw malformed('The body is not well-formed JSON.');
  }
}

function refuseEscaped(text: string): void {
  let value: unknown;
  try {
    value = JSON.parse(text.replaceAll('\0', '\\u0000'));
  } catch {
    return;
  }
  refuseUnstorable(value);
}
