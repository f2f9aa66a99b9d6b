import { secret, string, type AnyConfigDefinition } from '@ragmesh/config';

/**
 * `RAGMESH_*` and `APP_*` names that some service of the mesh reads. Services know each other by proto and events only, yet
 * one `.env` serves them all: a neighbour's name there is no mistake. A spec of `services/mesh` holds the list to the services.
 */
export const meshVariableNames: readonly string[] = [
  'APP_EMBEDDINGS_BACKEND',
  'APP_LLM_BACKEND',
  'APP_RERANK_ALPHA',
  'APP_RERANK_BACKEND',
  'RAGMESH_BOOTSTRAP_KEY',
  'RAGMESH_BOOTSTRAP_TENANT',
  'RAGMESH_DATA_DIR',
  'RAGMESH_MODE',
  'RAGMESH_MODELS_DIR',
  'RAGMESH_TOPIC_PREFIX',
];

/** The names as a definition, for the check of names nobody knows; a key may also come from the file that NAME_FILE names. */
export const meshVariables: AnyConfigDefinition = {
  variables: Object.fromEntries(meshVariableNames.map((name) => [name, name.endsWith('_KEY') ? secret() : string()])),
};
