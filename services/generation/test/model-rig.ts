import { loadConfig } from '@ragmesh/config';
import { createLogger } from '@ragmesh/observability';
import { LanguageModels } from '../src/adapters/language-models.js';
import { LocalChatModels } from '../src/adapters/local-chat-model.js';
import { UsageLedger } from '../src/adapters/usage-ledger.js';
import { UsageRepository } from '../src/adapters/usage.repository.js';
import { generationConfig } from '../src/generation.config.js';

/** The configured models as the service puts them together, without its database: what is charged is not written. */
export function modelsOf(environment: Record<string, string>) {
  const config = loadConfig(generationConfig, { APP_LLM_BACKEND: 'openai', LM_MODEL: 'big', ...environment });
  const logger = createLogger('generation', 'silent');
  const ledger = new UsageLedger(new UsageRepository(undefined as never), config, logger);
  return { config, logger, models: new LanguageModels(config, logger, ledger, new LocalChatModels(config)) };
}
