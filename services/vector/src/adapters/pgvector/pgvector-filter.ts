import type { FilterScalar, MetadataFilter, RangeOperator } from '../../domain/metadata-filter.js';

const operators: Readonly<Record<RangeOperator, string>> = { $gt: '>', $gte: '>=', $lt: '<', $lte: '<=' };

/**
 * A filter as SQL over `p.metadata`, with the semantics of `evaluateFilter`. Every name and value becomes a parameter.
 * Paths are strict, so that they do not descend into arrays; texts compare by code point.
 * @param add takes a parameter and gives its place, `$5`.
 */
export function filterSql(filter: MetadataFilter, add: (value: unknown) => string): string {
  switch (filter.kind) {
    case 'and':
      return joined(filter.children, ' AND ', 'true', add);
    case 'or':
      return joined(filter.children, ' OR ', 'false', add);
    case 'not':
      return `NOT ${filterSql(filter.child, add)}`;
    case 'exists':
      return `${filter.expected ? '' : 'NOT '}${exists(pathOf(filter.field), add)}`;
    case 'in':
      return equality(filter.field, [...filter.values], add);
    case 'range': {
      const test = `? (@ ${operators[filter.operator]} $bound)`;
      return anyElement(filter.field, test, { bound: filter.bound }, add);
    }
  }
}

type Add = Parameters<typeof filterSql>[1];

function joined(children: readonly MetadataFilter[], operator: string, empty: string, add: Add): string {
  if (children.length === 0) return empty;
  return `(${children.map((child) => filterSql(child, add)).join(operator)})`;
}

const pathOf = (field: readonly string[]): string =>
  `strict $${field.map((name) => `.${JSON.stringify(name)}`).join('')}`;

/** A strict path that leads nowhere gives null, which a negation must not hand on. */
function exists(path: string, add: Add, variables: object = {}): string {
  const test = `jsonb_path_exists(p.metadata, ${add(path)}::jsonpath, ${add(JSON.stringify(variables))}::jsonb, true)`;
  return `(${test} IS TRUE)`;
}

/** The value itself or, when it is a list, any element of it. */
function anyElement(field: readonly string[], test: string, variables: object, add: Add): string {
  const path = pathOf(field);
  return `(${exists(`${path} ${test}`, add, variables)} OR ${exists(`${path}[*] ${test}`, add, variables)})`;
}

/** Values of different types are not comparable in a path, so each type is asked for on its own. */
function equality(field: readonly string[], values: readonly FilterScalar[], add: Add): string {
  const byType = Map.groupBy(values, (value) => (value === null ? 'null' : typeof value));
  const tests = [...byType.values()].map((alike) => anyElement(field, '? (@ == $values[*])', { values: alike }, add));
  if (byType.has('null')) tests.push(`NOT ${exists(pathOf(field), add)}`);
  return tests.length === 0 ? 'false' : `(${tests.join(' OR ')})`;
}
