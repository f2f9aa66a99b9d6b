import { createHash } from 'node:crypto';
import type { FilterScalar, JsonValue, Metadata } from './metadata-filter.js';

const MAX_TERM = 160;

/** Says "this field holds this value" as one keyword; long ones are replaced by their hash. */
export const valueTerm = (field: readonly string[], value: FilterScalar): string =>
  keyword(`${JSON.stringify(field)}=${JSON.stringify(value)}`);

/** Says "this field is there". */
export const fieldTerm = (field: readonly string[]): string => keyword(`has ${JSON.stringify(field)}`);

const keyword = (term: string): string =>
  term.length <= MAX_TERM ? term : `sha256:${createHash('sha256').update(term).digest('hex')}`;

/**
 * Everything equality and existence can be asked about, as keywords: a store with a keyword index answers such filters
 * exactly, whatever fields and types its collections have. Elements of arrays count as values; objects in arrays do not.
 */
export function metadataTerms(metadata: Metadata): string[] {
  const terms = new Set<string>();
  collect(metadata as JsonValue, [], terms);
  return [...terms];
}

function collect(value: JsonValue, field: readonly string[], terms: Set<string>): void {
  if (field.length > 0) terms.add(fieldTerm(field));
  if (Array.isArray(value)) {
    for (const element of value)
      if (typeof element !== 'object' || element === null) terms.add(valueTerm(field, element));
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, inner] of Object.entries(value)) collect(inner, [...field, name], terms);
  } else terms.add(valueTerm(field, value));
}
