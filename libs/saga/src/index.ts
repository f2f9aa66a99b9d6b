import { fileURLToPath } from 'node:url';

export { begin, decide, type SagaDecision } from './decide.js';
export {
  sagaMessage,
  type SagaDefinition,
  type SagaError,
  type SagaInput,
  type SagaMessage,
  type SagaState,
  type SagaStatus,
  type SagaStep,
  type UndoReason,
} from './saga-definition.js';
export { SagaEngine, type InputFrom, type OnMoved, type SagaSubject } from './saga-engine.js';
export { SagaEngines } from './saga-engines.js';
export { SagaOperator } from './saga-operator.js';
export type { FreshSaga, SagaSource } from './saga-start.js';
export { SagaStore, type SagaFilter, type SagaMove, type SagaRecord, type SagaSummary } from './saga-store.js';
export { SagaTimer } from './saga-timer.js';

/** Migrations of the tables a service's database needs for its sagas. */
export const sagaMigrations = fileURLToPath(new URL('../migrations', import.meta.url));
