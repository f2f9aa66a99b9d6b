import type { Dashboard } from '../grafana/dashboard.js';
import { ingestion } from './ingestion.js';
import { messaging } from './messaging.js';
import { models } from './models.js';
import { overview } from './overview.js';
import { query } from './query.js';
import { slos } from './slos.js';
import { tenantsAndCost } from './tenants.js';

/** In the order of their links. */
export const allDashboards: readonly Dashboard[] = [
  overview,
  ingestion,
  query,
  messaging,
  models,
  tenantsAndCost,
  slos,
];
