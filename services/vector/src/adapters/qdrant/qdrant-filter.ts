import type { FilterScalar, MetadataFilter, RangeOperator } from '../../domain/metadata-filter.js';
import { orderRanges } from '../../domain/metadata-order.js';
import { fieldTerm, valueTerm } from '../../domain/metadata-terms.js';
import type { Schemas } from '@qdrant/js-client-rest';

type Condition = Schemas['Condition'];

/**
 * A filter in Qdrant's terms. Without a condition everything may pass. When it is not exact, more points pass than should:
 * the caller checks those it gets.
 */
export interface QdrantCondition {
  readonly condition: Condition | undefined;
  readonly exact: boolean;
}

const everything: QdrantCondition = { condition: undefined, exact: false };
const exactly = (condition: Condition): QdrantCondition => ({ condition, exact: true });

const rangeNames: Readonly<Record<RangeOperator, 'gt' | 'gte' | 'lt' | 'lte'>> = {
  $gt: 'gt',
  $gte: 'gte',
  $lt: 'lt',
  $lte: 'lte',
};

/** Never lets fewer points pass than the filter does. */
export function compileFilter(filter: MetadataFilter): QdrantCondition {
  switch (filter.kind) {
    case 'and':
      return conjunction(filter.children.map(compileFilter));
    case 'or':
      return disjunction(filter.children.map(compileFilter));
    case 'not':
      return negation(compileFilter(filter.child));
    case 'exists': {
      const exists = hasAny([fieldTerm(filter.field)]);
      return exactly(filter.expected ? exists : { must_not: [exists] });
    }
    case 'in':
      return exactly(equality(filter.field, [...filter.values]));
    case 'range':
      return range(filter.field, filter.operator, filter.bound);
  }
}

const hasAny = (terms: string[]): Condition => ({ key: 'terms', match: { any: terms } });

/** Null stands for a missing field, too. */
function equality(field: readonly string[], values: readonly FilterScalar[]): Condition {
  const holds = hasAny(values.map((value) => valueTerm(field, value)));
  if (!values.includes(null)) return holds;
  return { should: [holds, { must_not: [hasAny([fieldTerm(field)])] }] };
}

function range(field: readonly string[], operator: RangeOperator, bound: number | string): QdrantCondition {
  if (typeof bound === 'string') return textRange(field, operator, bound);
  const key = payloadPath(['metadata', ...field]);
  if (key === undefined) return { condition: hasAny([fieldTerm(field)]), exact: false };
  return exactly({ key, range: { [rangeNames[operator]]: bound } });
}

/** Qdrant compares numbers; text it compares as points in time only. Points of earlier releases have no numbers for their texts. */
function textRange(field: readonly string[], operator: RangeOperator, bound: string): QdrantCondition {
  const key = 'text_order';
  const alternatives = orderRanges(field, operator, bound).map((ranges) => ({
    must: ranges.map((range) => ({ key, range })),
  }));
  const should = [...alternatives, { is_empty: { key } }];
  return { condition: { must: [hasAny([fieldTerm(field)])], should }, exact: false };
}

function conjunction(parts: readonly QdrantCondition[]): QdrantCondition {
  const must = parts.flatMap(({ condition }) => condition ?? []);
  const exact = parts.every((part) => part.exact);
  if (must.length === 0) return { condition: undefined, exact };
  return { condition: { must }, exact };
}

function disjunction(parts: readonly QdrantCondition[]): QdrantCondition {
  const should = parts.flatMap(({ condition }) => condition ?? []);
  if (should.length < parts.length) return everything;
  return { condition: { should }, exact: parts.every((part) => part.exact) };
}

/** The opposite of "too many" would be "too few". */
function negation({ condition, exact }: QdrantCondition): QdrantCondition {
  if (!exact) return everything;
  // An exact part without a condition lets everything pass, so its opposite nothing.
  return exactly(condition ? { must_not: [condition] } : { has_id: [] });
}

/** Names with other characters are quoted; one with a quote cannot be written. */
function payloadPath(names: readonly string[]): string | undefined {
  if (names.some((name) => name.includes('"'))) return undefined;
  return names.map((name) => (/^[A-Za-z0-9_-]+$/.test(name) ? name : `"${name}"`)).join('.');
}
