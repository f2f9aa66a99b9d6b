import type { LanguageModel } from '../domain/language-model.js';
import { furtherProviders, type FurtherProvider } from '../domain/further-providers.js';
import type { GenerationConfig } from '../generation.config.js';
import type { LocalChatModels } from './local-chat-model.js';
import { OpenAiChatModel } from './openai-chat-model.js';

/** Every configured model in the order it is tried: the first provider's, smaller ones after it, then further providers'. */
export function configuredModels(config: GenerationConfig, local: LocalChatModels): LanguageModel[] {
  const { APP_LLM_BACKEND: backend, LM_MODEL: first, LLM_FALLBACK_MODELS: smaller } = config;
  if (backend === 'disabled' || first === undefined) return [];
  const models = [first, ...smaller.split(',').map((name) => name.trim())].filter((name) => name !== '');
  const main: FurtherProvider =
    backend === 'local'
      ? { name: 'local', models, backend }
      : { name: 'openai', models, backend, base_url: config.OPENAI_BASE_URL, api_key: config.OPENAI_API_KEY };
  const providers = [main, ...(furtherProviders(config.LLM_FURTHER_PROVIDERS) ?? [])];
  return providers.flatMap((provider) => provider.models.map((name) => modelOf(provider, name, local)));
}

function modelOf(provider: FurtherProvider, name: string, local: LocalChatModels): LanguageModel {
  if (provider.backend === 'local') return local.model(provider.name, name);
  const endpoint = { provider: provider.name, baseUrl: provider.base_url, apiKey: provider.api_key };
  return new OpenAiChatModel(endpoint, name);
}
