import { badFormat, failedValidation } from './qdrant-refusal.js';
import type { Payload, StoredPoint } from './stored-point.js';

export interface QdrantFilter {
  readonly must?: Condition | Condition[];
  readonly should?: Condition | Condition[];
  readonly must_not?: Condition | Condition[];
  readonly min_should?: { conditions: Condition[]; min_count: number };
}

type Range = Partial<Record<'gt' | 'gte' | 'lt' | 'lte', number | string | null>>;
type Match = { value?: unknown; any?: unknown[]; except?: unknown[] };

interface Condition extends QdrantFilter {
  readonly key?: string;
  readonly match?: Match;
  readonly range?: Range;
  readonly is_empty?: { key: string } | boolean;
  readonly is_null?: { key: string } | boolean;
  readonly has_id?: (string | number)[];
}

const clauses = ['must', 'should', 'must_not', 'min_should'] as const;
const listOf = (conditions: Condition | Condition[] | undefined | null): Condition[] =>
  conditions === undefined || conditions === null ? [] : [conditions].flat();

/** @param place how the server names the filter in a refusal. @throws QdrantRefusal for conditions it does not know. */
export function checkFilter(filter: QdrantFilter | undefined | null, place: string, body: string): void {
  for (const clause of ['must', 'should', 'must_not'] as const) {
    listOf(filter?.[clause]).forEach((condition, at) => checkCondition(condition, `${place}.${clause}[${at}]`, body));
  }
  filter?.min_should?.conditions.forEach((condition, at) =>
    checkCondition(condition, `${place}.min_should.conditions[${at}]`, body),
  );
}

function checkCondition(condition: Condition, place: string, body: string): void {
  if (clauses.some((clause) => clause in condition)) return checkFilter(condition, place, body);
  if (condition.key === undefined) {
    if (['is_empty', 'is_null', 'has_id', 'nested', 'has_vector'].some((kind) => kind in condition)) return;
    throw badFormat('data did not match any variant of untagged enum Condition', body);
  }
  const known = ['match', 'range', 'is_empty', 'is_null', 'values_count'].some((kind) => kind in condition);
  if (!known) {
    const fault = 'Validation error: At least one field condition must be specified [{}]';
    throw failedValidation(`${place}.__all__: ${fault}`);
  }
  for (const bound of Object.values(condition.range ?? {})) {
    if (typeof bound !== 'string' || isDatetime(bound)) continue;
    const fault = `'${bound}' does not match accepted datetime format (RFC3339). Example: 2014-01-01T00:00:00Z`;
    throw badFormat(fault, body);
  }
}

/** Whether a point passes. An empty filter passes everything. */
export function passes(filter: QdrantFilter | undefined | null, point: StoredPoint): boolean {
  if (!filter) return true;
  const holds = (condition: Condition): boolean => fulfils(condition, point);
  const should = listOf(filter.should);
  const { min_should: least } = filter;
  return (
    listOf(filter.must).every(holds) &&
    !listOf(filter.must_not).some(holds) &&
    (should.length === 0 || should.some(holds)) &&
    (!least || least.conditions.filter(holds).length >= least.min_count)
  );
}

function fulfils(condition: Condition, point: StoredPoint): boolean {
  if (condition.has_id) return condition.has_id.includes(point.id);
  if (condition.is_empty || condition.is_null) return fulfilsAbsence(condition, point.payload);
  if (condition.key === undefined) return passes(condition, point);
  const values = valuesAt(point.payload, condition.key).flat();
  const { match, range } = condition;
  if (match?.any) return values.some((value) => match.any!.includes(value));
  if (match?.except) return values.some((value) => !match.except!.includes(value));
  if (match) return values.includes(match.value);
  return values.some((value) => within(value, range ?? {}));
}

function fulfilsAbsence({ key, is_empty: empty, is_null: isNull }: Condition, payload: Payload): boolean {
  const asked = empty ?? isNull;
  const path = typeof asked === 'object' ? asked.key : key!;
  const values = valuesAt(payload, path);
  if (isNull) return values.flat().includes(null);
  return values.every((value) => value === null || (Array.isArray(value) && value.length === 0));
}

const isDatetime = (text: string): boolean =>
  /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/.test(text);

function within(value: unknown, range: Range): boolean {
  const bounds = Object.entries(range).filter(([, bound]) => bound !== null && bound !== undefined);
  return bounds.every(([operator, bound]) => {
    const isTime = typeof bound === 'string';
    if (isTime ? typeof value !== 'string' || !isDatetime(value) : typeof value !== 'number') return false;
    const [actual, limit] = isTime
      ? [Date.parse(value as string), Date.parse(bound)]
      : [value as number, Number(bound)];
    if (operator === 'gt') return actual > limit;
    if (operator === 'gte') return actual >= limit;
    return operator === 'lt' ? actual < limit : actual <= limit;
  });
}

/** A path as the server reads it: names separated by dots, quoted where they hold something else. */
export const namesOf = (path: string): string[] =>
  [...path.matchAll(/"([^"]*)"|([^."]+)/g)].map(([, quoted, plain]) => quoted ?? plain!);

function valuesAt(payload: Payload, path: string): unknown[] {
  let value: unknown = payload;
  for (const name of namesOf(path)) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, name)) return [];
    value = (value as Payload)[name];
  }
  return [value];
}
