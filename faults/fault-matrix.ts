import { dependencyFaults } from './dependency-faults.js';
import { documentFaults } from './document-faults.js';
import type { Fault } from './fault.js';
import { hostileFaults } from './hostile-faults.js';
import { messagingFaults } from './messaging-faults.js';
import { operationFaults } from './operation-faults.js';

/** Every fault ragmesh promises to survive, by its row. */
export const faultMatrix: readonly Fault[] = [
  ...messagingFaults,
  ...dependencyFaults,
  ...documentFaults,
  ...hostileFaults,
  ...operationFaults,
];
