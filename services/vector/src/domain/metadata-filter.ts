/** What metadata consists of. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [name: string]: JsonValue };
export type Metadata = Readonly<Record<string, JsonValue>>;

/** What a field is compared with. */
export type FilterScalar = null | boolean | number | string;

/** A checked filter. `field` is the path of own property names from the top of the metadata. */
export type MetadataFilter =
  | { readonly kind: 'and' | 'or'; readonly children: readonly MetadataFilter[] }
  | { readonly kind: 'not'; readonly child: MetadataFilter }
  | { readonly kind: 'in'; readonly field: readonly string[]; readonly values: ReadonlySet<FilterScalar> }
  | {
      readonly kind: 'range';
      readonly field: readonly string[];
      readonly operator: RangeOperator;
      readonly bound: number | string;
    }
  | { readonly kind: 'exists'; readonly field: readonly string[]; readonly expected: boolean };

export type RangeOperator = '$gt' | '$gte' | '$lt' | '$lte';

/**
 * Whether metadata passes a filter. Semantics:
 * - equality is strict (`1` is not `"1"`); `null` equals a null and a missing field;
 * - a field that holds an array passes when any element does; paths do not descend into arrays;
 * - ranges compare numbers with numbers and strings with strings (by code unit), anything else never passes;
 * - `$ne`, `$nin` and `$not` are exact negations, so they pass where the field is missing;
 * - `$exists` asks for the field itself; a null exists.
 */
export function evaluateFilter(filter: MetadataFilter, metadata: Metadata): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.children.every((child) => evaluateFilter(child, metadata));
    case 'or':
      return filter.children.some((child) => evaluateFilter(child, metadata));
    case 'not':
      return !evaluateFilter(filter.child, metadata);
    case 'exists':
      return (valueAt(metadata, filter.field) !== undefined) === filter.expected;
    case 'in':
      return anyElement(valueAt(metadata, filter.field) ?? null, (value) => filter.values.has(value as FilterScalar));
    case 'range':
      return anyElement(valueAt(metadata, filter.field), (value) => inRange(value, filter.operator, filter.bound));
  }
}

/** Own properties only: a filter must not see what every object inherits. */
function valueAt(metadata: Metadata, field: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = metadata as JsonValue;
  for (const name of field) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, name))
      return undefined;
    value = value[name];
  }
  return value;
}

function anyElement(value: JsonValue | undefined, passes: (element: JsonValue | undefined) => boolean): boolean {
  return Array.isArray(value) ? value.some(passes) : passes(value);
}

function inRange(value: JsonValue | undefined, operator: RangeOperator, bound: number | string): boolean {
  if (typeof value !== typeof bound) return false;
  const actual = value as number | string;
  switch (operator) {
    case '$gt':
      return actual > bound;
    case '$gte':
      return actual >= bound;
    case '$lt':
      return actual < bound;
    case '$lte':
      return actual <= bound;
  }
}
