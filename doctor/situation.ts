import { loadConfig, type ConfigDefinition, type ConfigOf, type Environment, type Variables } from '@ragmesh/config';
import { isRagmeshError } from '@ragmesh/errors';
import type { Gateway } from './gateway.js';

export type Mode = 'standalone' | 'mesh';

/** What is looked at. */
export interface Situation {
  readonly mode: Mode;
  readonly environment: Environment;
  /** Whether `npm run mesh` started what is looked at; it gives its services what the environment lacks. */
  readonly isLocalMesh: boolean;
  readonly gateway: Gateway;
  /** Whether an edge has to answer: somebody named its address, or `npm run mesh` runs here. */
  readonly isEdgeExpected: boolean;
  readonly nodeVersion: string;
  /** Less free space than this in the data folder is a fault. */
  readonly leastFreeBytes: number;
}

/**
 * Values of a few variables. Undefined when one of them is wrong: the check of the configuration says so, and whatever needs
 * them cannot be looked at.
 */
export function read<V extends Variables>(
  { environment }: Pick<Situation, 'environment'>,
  variables: V,
): ConfigOf<ConfigDefinition<V>> | undefined {
  try {
    return loadConfig({ variables, checks: [] } as unknown as ConfigDefinition<V>, environment);
  } catch (error) {
    if (isRagmeshError(error)) return undefined;
    throw error;
  }
}
