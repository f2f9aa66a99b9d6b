import { describe, expect, it } from '@jest/globals';
import { errorCatalogue } from '@ragmesh/errors';
import { backends, edge } from '../src/services.js';
import { standaloneConfig } from '../src/standalone.config.js';

const VARIABLE = /\b[A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9]\b/g;
/** Read before there is a configuration. */
const OTHERS = ['RAGMESH_MODELS_DIR'];

describe('advice on errors', () => {
  it('names variables that there are', () => {
    const configs = [...backends, edge].map(({ config }) => config);
    const known = new Set([
      ...[...configs, standaloneConfig].flatMap(({ variables }) => Object.keys(variables)),
      ...OTHERS,
    ]);
    const named = Object.values(errorCatalogue).flatMap(({ help }) => help.match(VARIABLE) ?? []);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
    expect(named.length).toBeGreaterThan(5);
  });
});
