export { reportUnexpected, type ErrorPlace } from './error-reports.js';
export { startErrorReports } from './sentry-reporter.js';
export { createLogger, nestLogger, type Logger } from './logger.js';
export { logFields } from './log-field-catalogue.js';
export { spanAttributes, spanCatalogue, type SpanSpec } from './span-catalogue.js';
export { logFieldTable, metricTable, spanTable } from './telemetry-tables.js';
export { metricCatalogue, type MetricName, type MetricSpec } from './metric-catalogue.js';
export { counter, gauge, histogram, renderMetrics, startProcessMetrics } from './metrics.js';
export { ANONYMOUS, EVERYTHING, admittedByBoth, mayRead, readsEverything, type AccessList } from './access.js';
export {
  asService,
  currentContext,
  currentPrincipals,
  currentTenant,
  inContext,
  type RequestContext,
} from './request-context.js';
export { ServiceSignatures, serviceSignatures, useServiceKeys } from './service-signatures.js';
export {
  SpanKind,
  currentTraceId,
  extractTrace,
  injectTrace,
  markFailed,
  startSpan,
  traceContext,
  untraced,
  withSpan,
  type Span,
  type SpanOptions,
} from './tracing.js';
export { startTracing, type TracingOptions } from './tracing-setup.js';
