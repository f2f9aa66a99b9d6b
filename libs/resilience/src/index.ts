export { breakersOf, watchBreakers, type BreakerView } from './breaker-registry.js';
export { Bulkhead, type BulkheadOptions } from './bulkhead.js';
export {
  circuitBreaker,
  type CircuitBreaker,
  type CircuitBreakerOptions,
  type CircuitState,
} from './circuit-breaker.js';
export { Deadline } from './deadline.js';
export { PeriodicTask, type Rest } from './periodic-task.js';
export { advisedPauseMs, retryAfterSeconds } from './retry-after.js';
export { SharedRun } from './shared-run.js';
export { streamThrough } from './stream-through.js';
export { TurnQueue } from './turn-queue.js';
export { RetryBudget } from './retry-budget.js';
export { nextPause, retryWithJitter, type RetryOptions } from './retry-with-jitter.js';
