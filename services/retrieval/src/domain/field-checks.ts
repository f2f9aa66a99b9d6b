import { RagmeshError } from '@ragmesh/errors';

/** A field's value is not what it may be; `rule` reads on after the name of the field. */
export const invalidField = (field: string, rule: string): RagmeshError =>
  new RagmeshError('REQUEST.INVALID', `The field ${field} ${rule}.`, { field });

/** One of these; the first where nothing was said. @throws REQUEST.INVALID */
export function oneOf<T extends string>(field: string, allowed: readonly T[], value: string | undefined): T {
  const known = allowed.find((name) => name === (value || allowed[0]));
  if (!known) throw invalidField(field, `must be one of ${allowed.join(', ')}`);
  return known;
}

/** A number from `low` to `high`, or undefined where that is given. @throws REQUEST.INVALID */
export function numberWithin<T extends number | undefined>(
  field: string,
  [low, high]: readonly [number, number],
  value: T,
): T {
  if (value === undefined || (value >= low && value <= high)) return value;
  throw invalidField(field, `must be a number from ${low} to ${high}`);
}

/** @throws REQUEST.INVALID */
export function wholeWithin(field: string, [low, high]: readonly [number, number], value: number): number {
  if (Number.isInteger(value) && value >= low && value <= high) return value;
  throw invalidField(field, `must be a whole number from ${low} to ${high}`);
}
