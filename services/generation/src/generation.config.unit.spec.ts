import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '@ragmesh/config';
import { generationConfig } from './generation.config.js';

describe('the configuration of the generation service', () => {
  it('needs nothing to begin with', () => {
    expect(loadConfig(generationConfig, {})).toMatchObject({ APP_LLM_BACKEND: 'disabled' });
  });

  it.each<[Record<string, string>, RegExp]>([
    [{ APP_LLM_BACKEND: 'magic' }, /APP_LLM_BACKEND must be one of disabled, openai, local/],
    [{ APP_LLM_BACKEND: 'openai' }, /LM_MODEL is required/],
    [{ APP_LLM_BACKEND: 'local', LM_MODEL: 'm' }, /RAGMESH_MODELS_DIR is required/],
    [{ LLM_PRICES: 'm' }, /LLM_PRICES must be written/],
    [{ LLM_FURTHER_PROVIDERS: '[{"name":"b","models":["m"],"base_url":"http://b"}]' }, /needs a first provider/],
    [
      { APP_LLM_BACKEND: 'openai', LM_MODEL: 'm', LLM_FURTHER_PROVIDERS: '[{"api_key":"sk-9"}]' },
      /LLM_FURTHER_PROVIDERS must be/,
    ],
  ])('refuses what does not fit together, by the name of the variable: %j', (environment, message) => {
    const load = () => loadConfig(generationConfig, environment);
    expect(load).toThrow(message);
    expect(load).not.toThrow(/sk-9/);
  });
});
