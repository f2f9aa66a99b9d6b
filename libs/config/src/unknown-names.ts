import type { AnyConfigDefinition } from './config-definition.js';
import { editDistance } from './edit-distance.js';
import type { Environment } from './environment.js';
import { secretFileName } from './secret-file.js';

const ownPrefixes = ['RAGMESH_', 'APP_'];

function nearest(name: string, known: readonly string[]): string | undefined {
  const tolerated = Math.max(2, Math.floor(name.length / 3));
  const ranked = known
    .map((candidate) => ({ candidate, distance: editDistance(name, candidate) }))
    .filter(({ distance }) => distance <= tolerated)
    .toSorted((a, b) => a.distance - b.distance);
  return ranked[0]?.candidate;
}

/**
 * One sentence for each `RAGMESH_*` or `APP_*` name in `env` that no definition reads: a typing error there would
 * otherwise be silently ignored. Other names belong to other programs and pass.
 */
export function unknownNames(definitions: readonly AnyConfigDefinition[], env: Environment): string[] {
  const known = definitions.flatMap(({ variables }) =>
    Object.entries(variables).flatMap(([name, { spec }]) => (spec.isSecret ? [name, secretFileName(name)] : [name])),
  );
  return Object.keys(env)
    .filter((name) => ownPrefixes.some((prefix) => name.startsWith(prefix)) && !known.includes(name))
    .map((name) => {
      const suggestion = nearest(name, known);
      return suggestion === undefined ? `${name} is unknown` : `${name} is unknown; did you mean ${suggestion}?`;
    });
}
