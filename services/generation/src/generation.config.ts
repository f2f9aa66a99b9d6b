import { defineConfig, oneOf, type ConfigOf } from '@ragmesh/config';

/** What the generation service reads from its environment. */
export const generationConfig = defineConfig({
  APP_LLM_BACKEND: oneOf('disabled')
    .default('disabled')
    .describe('Who writes answers: `disabled` quotes the best sentences of the sources, without a model'),
});
export type GenerationConfig = ConfigOf<typeof generationConfig>;
