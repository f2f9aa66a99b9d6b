import { resultCacheVariables, redisVariables } from '@ragmesh/cache';
import { defineConfig, duration, int, oneOf, string, timeout, url, secret, type ConfigOf } from '@ragmesh/config';
import { furtherProviders } from './domain/further-providers.js';
import { ModelPrices } from './domain/model-prices.js';

/** What the generation service reads from its environment. */
export const generationConfig = defineConfig({
  CONVERSATION_RETENTION: duration({ min: 0 })
    .default('90d')
    .describe('Time after their last change at which conversations and feedback are removed; 0 keeps them'),
  APP_LLM_BACKEND: oneOf('disabled', 'openai', 'local')
    .default('disabled')
    .describe(
      'Who writes answers: `openai` any server that speaks the OpenAI protocol, `local` a model in this process, `disabled` quotes the best sentences of the sources, without a model',
    ),
  LM_MODEL: string().optional().describe('Model that writes answers, by the name its provider or folder has'),
  LLM_FALLBACK_MODELS: string()
    .default('')
    .describe('Smaller models of the same provider, tried in this order when the first one fails; separated by commas'),
  OPENAI_BASE_URL: url('http', 'https')
    .default('https://api.openai.com/v1')
    .describe('Where the OpenAI protocol is spoken, up to and including its version'),
  OPENAI_API_KEY: secret().optional().describe('Key of that provider; servers of your own may need none'),
  LLM_FURTHER_PROVIDERS: secret()
    .default('[]')
    .describe(
      'Providers tried after the first one, in this order: JSON list of `{"name", "models": [...], "base_url", "api_key"?}`, or `{"name", "models", "backend": "local"}`',
    ),
  LLM_PRICES: string()
    .default('')
    .describe('US dollars per million tokens, as `model=prompt/completion`, separated by commas'),
  LLM_MAX_TOKENS: int({ min: 1, max: 100_000 })
    .default(1_024)
    .describe('Longest answer in tokens; a request may ask for less, and gets no more where it asks for more'),
  LLM_FIRST_TOKEN_TIMEOUT: timeout({ min: 0.01 })
    .default('10s')
    .describe('How long a model may take to begin its answer, connecting included, before the next one is tried'),
  LLM_IDLE_TIMEOUT: timeout({ min: 0.01 })
    .default('15s')
    .describe('Longest silence within an answer before it counts as cut off'),
  LLM_TOTAL_TIMEOUT: timeout({ min: 0.01 })
    .default('2m')
    .describe('Longest time of one answer; what is left of its request bounds it, too'),
  LLM_ANSWER_CACHE_TTL: duration({ min: 0 })
    .default('24h')
    .describe('How long a complete answer is kept, to be given when every model fails; 0 keeps none'),
  CACHE_SIZE: resultCacheVariables.CACHE_SIZE,
  ...redisVariables,
  RAGMESH_MODELS_DIR: string()
    .optional()
    .describe('Folder with models of your own, one folder each; `local` runs those'),
})
  .check('LM_MODEL is required when APP_LLM_BACKEND is openai or local', (config) => {
    return config.APP_LLM_BACKEND === 'disabled' || config.LM_MODEL !== undefined;
  })
  .check('RAGMESH_MODELS_DIR is required when a model runs locally', (config) => {
    const providers = furtherProviders(config.LLM_FURTHER_PROVIDERS) ?? [];
    const isLocal = config.APP_LLM_BACKEND === 'local' || providers.some(({ backend }) => backend === 'local');
    return !isLocal || config.RAGMESH_MODELS_DIR !== undefined;
  })
  .check(
    'LLM_FURTHER_PROVIDERS must be a JSON list of {"name", "models", "base_url"} with different names, "api_key" and "backend": "local" as needed',
    (config) => furtherProviders(config.LLM_FURTHER_PROVIDERS) !== undefined,
  )
  .check('LLM_FURTHER_PROVIDERS needs a first provider: set APP_LLM_BACKEND', (config) => {
    return config.APP_LLM_BACKEND !== 'disabled' || furtherProviders(config.LLM_FURTHER_PROVIDERS)?.length === 0;
  })
  .check('LLM_PRICES must be written as model=prompt/completion, separated by commas', (config) => {
    return ModelPrices.parse(config.LLM_PRICES) !== undefined;
  });
export type GenerationConfig = ConfigOf<typeof generationConfig>;
