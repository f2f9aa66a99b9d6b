/**
 * Multi-window, multi-burn-rate alerts of the Site Reliability Workbook, chapter 5: an alert fires when the error budget of
 * 30 days burns `factor` times too fast over a long window, and still does over a short one.
 */
export interface BurnRate {
  readonly long: Window;
  readonly short: Window;
  readonly factor: number;
}

export type Window = '5m' | '30m' | '1h' | '2h' | '6h' | '1d' | '3d';

export const windows: readonly Window[] = ['5m', '30m', '1h', '2h', '6h', '1d', '3d'];
export const PERIOD = '30d';

/** 2 % of the budget gone in an hour, or 5 % in six: somebody is woken up. */
export const critical: readonly BurnRate[] = [
  { long: '1h', short: '5m', factor: 14.4 },
  { long: '6h', short: '30m', factor: 6 },
];

/** 10 % of the budget gone in a day or in three: somebody looks in working hours. */
export const warning: readonly BurnRate[] = [
  { long: '1d', short: '2h', factor: 3 },
  { long: '3d', short: '6h', factor: 1 },
];

const unitSeconds = { m: 60, h: 3600, d: 86_400 } as const;

export const secondsOf = (window: Window): number =>
  Number.parseInt(window, 10) * unitSeconds[window.at(-1) as keyof typeof unitSeconds];
