import { generationService } from '@ragmesh/service-generation';
import { configuredProviders } from '@ragmesh/service-generation/providers';
import { fetch } from 'undici';
import { fault, type Finding } from '../finding.js';
import { read, type Situation } from '../situation.js';

const ANSWER_WITHIN_MS = 5_000;
const { APP_LLM_BACKEND, LM_MODEL, LLM_FALLBACK_MODELS, OPENAI_BASE_URL, OPENAI_API_KEY, LLM_FURTHER_PROVIDERS } =
  generationService.config.variables;
const variables = {
  ...{ APP_LLM_BACKEND, LM_MODEL, LLM_FALLBACK_MODELS },
  ...{ OPENAI_BASE_URL, OPENAI_API_KEY, LLM_FURTHER_PROVIDERS },
};

/** A provider that is asked over the network. */
interface Provider {
  readonly name: string;
  readonly base_url: string;
  readonly api_key?: string | undefined;
}

/** Whether every provider of language models answers and takes our key, and whether the edge finds one that works. */
export async function checkLanguageModel(situation: Situation): Promise<Finding[]> {
  const config = read(situation, variables);
  const providers = config === undefined ? [] : configuredProviders(config);
  const remote = providers.flatMap((provider) => (provider.backend === 'local' ? [] : provider));
  const findings = (await Promise.all(remote.map(look))).flat();
  return findings.length > 0 ? findings : edgeSays(situation);
}

/** The list of models costs nothing. A server that has none answers 404 and may write answers all the same. */
async function look(provider: Provider): Promise<Finding[]> {
  const url = `${provider.base_url.replace(/\/+$/, '')}/models`;
  const headers: Record<string, string> = provider.api_key ? { authorization: `Bearer ${provider.api_key}` } : {};
  try {
    // A redirect is not followed: the key is for this host only.
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
    const { status, body } = await fetch(url, { headers, redirect: 'manual', signal });
    await body?.cancel();
    if (status === 401 || status === 403) return [refused(provider, status)];
    return status >= 500 ? [unusable(provider, `status ${status}`)] : [];
  } catch (error) {
    const { cause, name } = error as { cause?: { code?: string }; name: string };
    return [unusable(provider, cause?.code ?? (name === 'TimeoutError' ? 'no answer' : 'no connection'))];
  }
}

async function edgeSays({ gateway }: Situation): Promise<Finding[]> {
  const answer = await gateway.ask('/health');
  return /"llm":"down"/.test(answer?.text ?? '') ? [givenUp(gateway.url)] : [];
}

const why = 'Answers are quoted from their sources instead of written, and say so: degraded ["llm"].';
const where = ({ name, base_url }: Provider): string =>
  `The language model provider ${name} at ${new URL(base_url).host}`;

const refused = (provider: Provider, status: number): Finding =>
  fault(
    `${where(provider)} refuses our key (status ${status}).`,
    why,
    `set ${provider.name === 'openai' ? 'OPENAI_API_KEY, or OPENAI_API_KEY_FILE,' : 'its api_key in LLM_FURTHER_PROVIDERS'} to a key it takes`,
  );

const unusable = (provider: Provider, reason: string): Finding =>
  fault(
    `${where(provider)} cannot be used (${reason}).`,
    why,
    `start it, or correct ${provider.name === 'openai' ? 'OPENAI_BASE_URL' : 'its base_url in LLM_FURTHER_PROVIDERS'}; deploy/runbooks/RagmeshLanguageModelFailing.md`,
  );

const givenUp = (url: string): Finding =>
  fault(
    `The edge at ${url} says that no language model works: too many calls of every one failed.`,
    why,
    'read the log of generation: OPENAI_BASE_URL, OPENAI_API_KEY and LM_MODEL there may differ; deploy/runbooks/RagmeshLanguageModelFailing.md',
  );
