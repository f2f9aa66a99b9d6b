export { createLogger, nestLogger, type Logger } from './logger.js';
export { metricCatalogue, type MetricName, type MetricSpec } from './metric-catalogue.js';
export { counter, gauge, histogram, renderMetrics, startProcessMetrics } from './metrics.js';
export { currentContext, currentTenant, inContext, type RequestContext } from './request-context.js';
export {
  SpanKind,
  currentTraceId,
  extractTrace,
  injectTrace,
  markFailed,
  startSpan,
  traceContext,
  withSpan,
  type Span,
  type SpanOptions,
} from './tracing.js';
export { startTracing, type TracingOptions } from './tracing-setup.js';
