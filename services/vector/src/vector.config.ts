import { defineConfig, oneOf, type ConfigOf } from '@ragmesh/config';

/** What the vector service reads from its environment. */
export const vectorConfig = defineConfig({
  VECTOR_STORE: oneOf('embedded')
    .default('embedded')
    .describe('Where vectors are searched: `embedded` keeps them in Postgres and their indexes in memory'),
});
export type VectorConfig = ConfigOf<typeof vectorConfig>;
