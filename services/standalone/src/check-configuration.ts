import {
  loadConfig,
  unknownNames,
  type AnyConfigDefinition,
  type ConfigDefinition,
  type Environment,
  type Variables,
} from '@ragmesh/config';
import { RagmeshError, isRagmeshError } from '@ragmesh/errors';

/** Reads every definition once, so that all faults of all services are told together. @throws RagmeshError CONFIG.INVALID. */
export function checkConfiguration(definitions: readonly AnyConfigDefinition[], environment: Environment): void {
  const faults = definitions.flatMap((definition) => faultOf(definition, environment));
  faults.push(...unknownNames(definitions, environment));
  if (faults.length > 0) throw new RagmeshError('CONFIG.INVALID', [...new Set(faults)].join('\n'));
}

function faultOf(definition: AnyConfigDefinition, environment: Environment): string[] {
  try {
    loadConfig(definition as ConfigDefinition<Variables>, environment);
    return [];
  } catch (error) {
    if (isRagmeshError(error)) return [error.message];
    throw error;
  }
}
