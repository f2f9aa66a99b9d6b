import {
  loadConfig,
  unknownNames,
  type AnyConfigDefinition,
  type ConfigDefinition,
  type Environment,
  type Variables,
} from '@ragmesh/config';
import { RagmeshError, isRagmeshError } from '@ragmesh/errors';

/**
 * Reads every definition once, so that all faults of a process are told together.
 * @param known further names that are no mistake though nothing here reads them.
 * @throws RagmeshError CONFIG.INVALID.
 */
export function checkConfiguration(
  definitions: readonly AnyConfigDefinition[],
  environment: Environment,
  known: readonly AnyConfigDefinition[] = [],
): void {
  const faults = definitions.flatMap((definition) => faultOf(definition, environment));
  faults.push(...unknownNames([...definitions, ...known], environment));
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
