import { metricFamilies, targetLabels, type FamilyName } from './metric-families.js';

/** `{label: value}` matches exactly; `{label: /pattern/}` and `{label: {not: /pattern/}}` match by pattern. */
export type Matcher = string | RegExp | { readonly not: string | RegExp };
export type Matchers = Readonly<Record<string, Matcher>>;

export interface Selection {
  /** Labels the result keeps. */
  readonly by?: readonly string[];
  readonly where?: Matchers;
  /** Window of a rate; a dashboard's own when left out. */
  readonly over?: string;
}

const DASHBOARD_WINDOW = '$__rate_interval';

function familyOf(name: FamilyName): (typeof metricFamilies)[string] {
  const family = metricFamilies[name];
  if (!family) throw new Error(`No metric is called ${name}.`);
  return family;
}

function checkLabels(name: FamilyName, labels: readonly string[]): void {
  const known: readonly string[] = [...familyOf(name).labels, ...targetLabels, 'le'];
  const unknown = labels.filter((label) => !known.includes(label));
  if (unknown.length > 0) throw new Error(`${name} has no label ${unknown.join(', ')}; it has ${known.join(', ')}.`);
}

function matcherText(label: string, matcher: Matcher): string {
  const [value, negated] =
    typeof matcher === 'object' && 'not' in matcher ? ([matcher.not, true] as const) : ([matcher, false] as const);
  const isPattern = value instanceof RegExp;
  const operator = negated ? (isPattern ? '!~' : '!=') : isPattern ? '=~' : '=';
  const text = isPattern ? value.source.replaceAll('\\/', '/') : value;
  return `${label}${operator}${JSON.stringify(text)}`;
}

/** One series name with its matchers. Fails for a metric or a label that the code does not have. */
export function series(name: FamilyName, where: Matchers = {}, suffix = ''): string {
  checkLabels(name, Object.keys(where));
  const matchers = Object.entries(where).map(([label, matcher]) => matcherText(label, matcher));
  return `${name}${suffix}${matchers.length > 0 ? `{${matchers.join(', ')}}` : ''}`;
}

function aggregate(operator: 'sum' | 'max' | 'min', name: FamilyName, by: readonly string[], inner: string): string {
  checkLabels(name, by);
  return by.length > 0 ? `${operator} by (${by.join(', ')}) (${inner})` : `${operator}(${inner})`;
}

/** Sum of a counter's rate per second, over all copies. */
export function rate(name: FamilyName, { by = [], where = {}, over = DASHBOARD_WINDOW }: Selection = {}): string {
  if (familyOf(name).type !== 'counter') throw new Error(`${name} is no counter: its rate means nothing.`);
  return aggregate('sum', name, by, `rate(${series(name, where)}[${over}])`);
}

/** What a counter grew by, over all copies. */
export function increase(name: FamilyName, { by = [], where = {}, over = '$__range' }: Selection = {}): string {
  if (familyOf(name).type !== 'counter') throw new Error(`${name} is no counter: it does not only grow.`);
  return aggregate('sum', name, by, `increase(${series(name, where)}[${over}])`);
}

/**
 * How long scrapes may fail before old counts pass for new ones. For as long, and `over`, after a process was started anew its first
 * count is not seen where the one before had counted the same; so it covers a restart of Prometheus and no more.
 */
const LONGEST_GAP = '15m';

/**
 * What a counter grew by, the very first count included: a series that did not exist before begins at its first count,
 * and `increase` sees no growth in it. One that failed scrapes interrupted did exist.
 */
export function increaseFromNothing(name: FamilyName, by: readonly string[], over: string): string {
  const counted = series(name);
  const before = `last_over_time(${counted}[${LONGEST_GAP}] offset ${over})`;
  return aggregate('sum', name, by, `(${counted} unless ${before}) or increase(${counted}[${over}])`);
}

/** The highest of a gauge: every copy of a service measures the same database or topic. */
export const highest = (name: FamilyName, { by = [], where = {} }: Selection = {}): string =>
  aggregate('max', name, by, series(name, where));

/** The lowest of a gauge: of copies that differ, the one that is worst off. */
export const lowest = (name: FamilyName, { by = [], where = {} }: Selection = {}): string =>
  aggregate('min', name, by, series(name, where));

/** The sum of a gauge: each copy measures its own share. */
export const total = (name: FamilyName, { by = [], where = {} }: Selection = {}): string =>
  aggregate('sum', name, by, series(name, where));

/** Quantile of a histogram over all copies, in its unit. */
export function quantile(of: number, name: FamilyName, selection: Selection = {}): string {
  const { by = [], where = {}, over = DASHBOARD_WINDOW } = selection;
  if (familyOf(name).type !== 'histogram') throw new Error(`${name} is no histogram.`);
  const buckets = `rate(${series(name, where, '_bucket')}[${over}])`;
  return `histogram_quantile(${of}, ${aggregate('sum', name, ['le', ...by], buckets)})`;
}

/** Rate per second of what a histogram observed. */
export const observations = (name: FamilyName, selection: Selection = {}): string => {
  const { by = [], where = {}, over = DASHBOARD_WINDOW } = selection;
  return aggregate('sum', name, by, `rate(${series(name, where, '_count')}[${over}])`);
};

/** Rate per second of observations up to `limit`, which must be the bound of one of its buckets. */
export function observationsWithin(limit: number, name: FamilyName, { where = {}, over }: Selection = {}): string {
  if (!familyOf(name).buckets?.includes(limit)) throw new Error(`${name} has no bucket that ends at ${limit}.`);
  // Prometheus 3 writes whole bounds as "10.0", earlier ones as the process does: "10".
  const le = Number.isInteger(limit) ? new RegExp(`${limit}([.]0)?`) : String(limit);
  return `sum(rate(${series(name, { ...where, le }, '_bucket')}[${over ?? DASHBOARD_WINDOW}]))`;
}
