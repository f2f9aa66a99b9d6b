import type { Matchers } from '../promql/series.js';

/** Keeps the services chosen at the top of the dashboard. */
export const chosenService: Matchers = { service: /$service/ };
/** The same for figures of processes, which carry the name that scraping gave them. */
export const chosenProcess: Matchers = { service_name: /$service/ };
