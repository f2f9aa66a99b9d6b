export {
  ConfigDefinition,
  defineConfig,
  type AnyConfigDefinition,
  type ConfigOf,
  type Variables,
} from './config-definition.js';
export { configTable } from './config-table.js';
export { readEnvironment, type Environment } from './environment.js';
export { loadConfig } from './load-config.js';
export { unknownNames } from './unknown-names.js';
export { Variable } from './variable.js';
export { bool, bytes, duration, int, number, oneOf, secret, string, url } from './variable-types.js';
