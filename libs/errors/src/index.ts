export { errorCatalogue, type ErrorCode, type ErrorSpec } from './error-catalogue.js';
export { RagmeshError, asRagmeshError, isRagmeshError, type ErrorDetails } from './ragmesh-error.js';
