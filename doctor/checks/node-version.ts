import { fault, type Finding } from '../finding.js';
import type { Situation } from '../situation.js';

const NEEDED = 24;

/** Services run on the Node this repository brings, unless somebody starts them otherwise. */
export async function checkNodeVersion({ nodeVersion }: Situation): Promise<Finding[]> {
  if (Number(nodeVersion.split('.')[0]) >= NEEDED) return [];
  return [
    fault(
      `This is Node ${nodeVersion}; ragmesh needs ${NEEDED} or later.`,
      'Services do not start with it, or fail where they use what it lacks.',
      'npm ci && npm start, which use the Node that npm brings; in an image of your own: FROM node:24',
    ),
  ];
}
