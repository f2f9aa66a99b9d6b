export {
  ConfigDefinition,
  defineConfig,
  type AnyConfigDefinition,
  type ConfigOf,
  type Variables,
} from './config-definition.js';
export { certificateExpiries, validityOfOwn, type CertificateExpiry } from './certificate-expiry.js';
export { configTable } from './config-table.js';
export { readEnvironment, type Environment } from './environment.js';
export { effectiveSettings, type Setting } from './effective-settings.js';
export { loadConfig } from './load-config.js';
export { type ValueSource } from './raw-value.js';
export { secretFileName } from './secret-file.js';
export {
  isTlsPairWhole,
  isTlsUsed,
  readTlsFiles,
  tlsFileVariables,
  tlsPairFault,
  type TlsFileVariables,
  type TlsMaterial,
} from './tls-files.js';
export { unknownNames } from './unknown-names.js';
export { Variable } from './variable.js';
export {
  bool,
  bytes,
  duration,
  file,
  int,
  listOf,
  number,
  oneOf,
  secret,
  string,
  timeout,
  url,
} from './variable-types.js';
