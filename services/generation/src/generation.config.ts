import { defineConfig, oneOf, type ConfigOf } from '@ragmesh/config';

/** The only reader of these variables. */
export const generationConfig = defineConfig({
  APP_LLM_BACKEND: oneOf('disabled').default('disabled').describe('Who writes answers; disabled: they are extracted from the sources'),
});

export type GenerationConfig = ConfigOf<typeof generationConfig>;
