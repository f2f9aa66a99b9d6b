import type { LanguageModel } from '../domain/language-model.js';
import { furtherProviders, type FurtherProvider } from '../domain/further-providers.js';
import type { GenerationConfig } from '../generation.config.js';
import type { LocalChatModels } from './local-chat-model.js';
import { OpenAiChatModel } from './openai-chat-model.js';

type ProviderConfig = Pick<
  GenerationConfig,
  | 'APP_LLM_BACKEND'
  | 'LM_MODEL'
  | 'LLM_FALLBACK_MODELS'
  | 'OPENAI_BASE_URL'
  | 'OPENAI_API_KEY'
  | 'LLM_FURTHER_PROVIDERS'
>;

/** Every configured model in the order it is tried: the first provider's, smaller ones after it, then further providers'. */
export const configuredModels = (config: ProviderConfig, local: LocalChatModels): LanguageModel[] =>
  configuredProviders(config).flatMap((provider) => provider.models.map((name) => modelOf(provider, name, local)));

/** Every configured provider in the order it is tried, with its models; none where answers are quoted only. Holds keys. */
export function configuredProviders(config: ProviderConfig): FurtherProvider[] {
  const { APP_LLM_BACKEND: backend, LM_MODEL: first, LLM_FALLBACK_MODELS: smaller } = config;
  if (backend === 'disabled' || first === undefined) return [];
  const models = [first, ...smaller.split(',').map((name) => name.trim())].filter((name) => name !== '');
  const main: FurtherProvider =
    backend === 'local'
      ? { name: 'local', models, backend }
      : { name: 'openai', models, backend, base_url: config.OPENAI_BASE_URL, api_key: config.OPENAI_API_KEY };
  return [main, ...(furtherProviders(config.LLM_FURTHER_PROVIDERS) ?? [])];
}

function modelOf(provider: FurtherProvider, name: string, local: LocalChatModels): LanguageModel {
  if (provider.backend === 'local') return local.model(provider.name, name);
  const endpoint = { provider: provider.name, baseUrl: provider.base_url, apiKey: provider.api_key };
  return new OpenAiChatModel(endpoint, name);
}
