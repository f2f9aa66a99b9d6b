import { createHash } from 'node:crypto';

/** A part of a key: it cannot contain the separator, so two different keys never look the same. */
const part = (text: string): string => encodeURIComponent(text);

/** `namespace:part:part…` */
export function cacheKey(namespace: string, ...parts: readonly string[]): string {
  return [namespace, ...parts.map(part)].join(':');
}

/** SHA-256 of a value's JSON with the keys of objects in order, so that equal parameters have one hash. */
export function hashOf(parameters: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(parameters)) ?? '', 'utf8')
    .digest('hex');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, inner]) => [name, sorted(inner)]));
}
