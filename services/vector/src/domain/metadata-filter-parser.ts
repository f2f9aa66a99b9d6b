import { RagmeshError } from '@ragmesh/errors';
import type { FilterScalar, MetadataFilter, RangeOperator } from './metadata-filter.js';

const MAX_CONDITIONS = 100;
const MAX_DEPTH = 8;
const MAX_VALUES = 1000;
const MAX_NAME_SHOWN = 64;

const fieldOperators = new Set(['$eq', '$ne', '$in', '$nin', '$gt', '$gte', '$lt', '$lte', '$exists', '$not']);

/** Where the parser is: `path` names the place in errors, `budget` is shared by the whole filter. */
interface Position {
  readonly path: string;
  readonly depth: number;
  readonly budget: { conditions: number };
}

/**
 * A checked filter from a Mongo-style one: `$eq $ne $in $nin $gt $gte $lt $lte $exists $not` on fields (a bare value means
 * `$eq`, dots separate nested names), `$and $or $not` between filters. `{}` passes everything.
 * @param path what errors call the filter.
 * @throws RagmeshError `FILTER.UNKNOWN_OPERATOR`, or `FILTER.INVALID` for wrong types, more than 100 conditions or more
 * than 8 levels; both name the place and never show a value.
 */
export function parseMetadataFilter(input: unknown, path = 'filters'): MetadataFilter {
  return parseFilter(input, { path, depth: 0, budget: { conditions: 0 } });
}

function parseFilter(input: unknown, at: Position): MetadataFilter {
  if (at.depth > MAX_DEPTH) throw invalid(at, `is nested deeper than ${MAX_DEPTH} levels`);
  if (!isPlainObject(input)) throw invalid(at, 'must be an object of conditions');
  const children = Object.entries(input).map(([name, value]) => parseEntry(name, value, inside(at, name)));
  return children.length === 1 ? children[0]! : { kind: 'and', children };
}

function parseEntry(name: string, value: unknown, at: Position): MetadataFilter {
  spend(at);
  if (name === '$and' || name === '$or') return parseList(name === '$and' ? 'and' : 'or', value, at);
  if (name === '$not') return { kind: 'not', child: parseFilter(value, deeper(at)) };
  if (fieldOperators.has(name)) throw invalid(at, 'belongs under a field name');
  if (name.startsWith('$')) throw unknownOperator(at);
  const field = name.split('.');
  if (field.includes('')) throw invalid(at, 'has an empty field name');
  return parseField(field, value, at);
}

function parseList(kind: 'and' | 'or', value: unknown, at: Position): MetadataFilter {
  if (!Array.isArray(value) || value.length === 0) throw invalid(at, 'must be a list of at least one filter');
  return {
    kind,
    children: value.map((child, index) => parseFilter(child, { ...deeper(at), path: `${at.path}[${index}]` })),
  };
}

function parseField(field: readonly string[], value: unknown, at: Position): MetadataFilter {
  if (!isPlainObject(value)) return { kind: 'in', field, values: new Set([scalar(value, at)]) };
  const operators = Object.entries(value);
  if (operators.length === 0) throw invalid(at, 'needs at least one operator');
  const children = operators.map(([operator, operand]) =>
    parseOperator(field, operator, operand, inside(at, operator)),
  );
  return children.length === 1 ? children[0]! : { kind: 'and', children };
}

function parseOperator(field: readonly string[], operator: string, operand: unknown, at: Position): MetadataFilter {
  spend(at);
  switch (operator) {
    case '$eq':
      return { kind: 'in', field, values: new Set([scalar(operand, at)]) };
    case '$ne':
      return { kind: 'not', child: { kind: 'in', field, values: new Set([scalar(operand, at)]) } };
    case '$in':
      return { kind: 'in', field, values: scalars(operand, at) };
    case '$nin':
      return { kind: 'not', child: { kind: 'in', field, values: scalars(operand, at) } };
    case '$gt':
    case '$gte':
    case '$lt':
    case '$lte':
      return parseRange(field, operator, operand, at);
    case '$exists':
      if (typeof operand !== 'boolean') throw invalid(at, 'must be true or false');
      return { kind: 'exists', field, expected: operand };
    case '$not':
      return parseFieldNegation(field, operand, at);
    default:
      throw operator.startsWith('$')
        ? unknownOperator(at)
        : invalid(at, 'must be an operator; name nested fields with dots');
  }
}

function parseRange(field: readonly string[], operator: RangeOperator, operand: unknown, at: Position): MetadataFilter {
  const bound = scalar(operand, at);
  if (typeof bound !== 'number' && typeof bound !== 'string') throw invalid(at, 'must be a number or a string');
  return { kind: 'range', field, operator, bound };
}

function parseFieldNegation(field: readonly string[], operand: unknown, at: Position): MetadataFilter {
  const below = deeper(at);
  if (below.depth > MAX_DEPTH) throw invalid(at, `is nested deeper than ${MAX_DEPTH} levels`);
  if (!isPlainObject(operand)) throw invalid(at, 'must be an object of operators');
  return { kind: 'not', child: parseField(field, operand, below) };
}

function scalars(value: unknown, at: Position): Set<FilterScalar> {
  if (!Array.isArray(value)) throw invalid(at, 'must be a list of values');
  if (value.length > MAX_VALUES) throw invalid(at, `has more than ${MAX_VALUES} values`);
  return new Set(value.map((item, index) => scalar(item, { ...at, path: `${at.path}[${index}]` })));
}

function scalar(value: unknown, at: Position): FilterScalar {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw invalid(at, 'must be a string, a finite number, a boolean or null');
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function spend({ budget, path }: Position): void {
  budget.conditions++;
  if (budget.conditions <= MAX_CONDITIONS) return;
  throw new RagmeshError('FILTER.INVALID', `The filter has more than ${MAX_CONDITIONS} conditions.`, {
    path,
    limit: MAX_CONDITIONS,
  });
}

const deeper = (at: Position): Position => ({ ...at, depth: at.depth + 1 });
const inside = (at: Position, name: string): Position => ({
  ...at,
  path: `${at.path}.${name.slice(0, MAX_NAME_SHOWN)}`,
});

function invalid({ path }: Position, fault: string): RagmeshError {
  return new RagmeshError('FILTER.INVALID', `${path} ${fault}.`, { path });
}

function unknownOperator({ path }: Position): RagmeshError {
  return new RagmeshError('FILTER.UNKNOWN_OPERATOR', `${path} is not an operator this search knows.`, { path });
}
