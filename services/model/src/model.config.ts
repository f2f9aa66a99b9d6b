import { defineConfig, string, type ConfigOf } from '@ragmesh/config';

/** What the model service reads from its environment. */
export const modelConfig = defineConfig({
  RAGMESH_MODELS_DIR: string()
    .optional()
    .describe('Folder with models of your own, one folder each; looked at before the bundled ones'),
  EMBEDDING_MODEL: string().default('all-MiniLM-L6-v2').describe('Model that makes the vectors: name or name@revision'),
});

export type ModelConfig = ConfigOf<typeof modelConfig>;
