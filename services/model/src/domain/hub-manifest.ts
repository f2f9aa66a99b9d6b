import { RagmeshError } from '@ragmesh/errors';
import type { ManifestFile, ModelDtype, ModelManifest } from './model-manifest.js';

/** Longest input where a repository's files do not say or say something impossible; BERT's own limit. */
const USUAL_MAX_TOKENS = 512;

/** The files of a repository that describe its model, as parsed JSON. */
export interface HubDescriptions {
  readonly config: Record<string, unknown>;
  readonly tokenizer: Record<string, unknown>;
  readonly sentences: Record<string, unknown>;
  readonly pooling: Record<string, unknown>;
}

export interface Downloaded {
  readonly name: string;
  readonly revision: string;
  readonly dtype: ModelDtype;
  readonly files: readonly ManifestFile[];
}

/**
 * What a model of the hub promises about itself, read from its own descriptions.
 * @throws RagmeshError MODEL.UNSUPPORTED when it pools in a way this release cannot.
 */
export function hubManifest(downloaded: Downloaded, described: HubDescriptions): ModelManifest {
  const { config, tokenizer, sentences, pooling } = described;
  const architectures = Array.isArray(config['architectures']) ? config['architectures'].map(String) : [];
  const scores = architectures.some((name) => name.endsWith('ForSequenceClassification'));
  const limits = [sentences['max_seq_length'], tokenizer['model_max_length'], config['max_position_embeddings']];
  const maxTokens = Math.min(USUAL_MAX_TOKENS, ...limits.filter(isCount));
  const dimension = scores ? 1 : config['hidden_size'];
  if (!isCount(dimension)) throw unsupported(downloaded, 'config.json names no hidden_size');
  const isCls = pooling['pooling_mode_cls_token'] === true;
  const isMean = pooling['pooling_mode_mean_tokens'] !== false;
  if (!isCls && !isMean) throw unsupported(downloaded, 'its pooling is neither mean nor cls');
  const task = scores ? 'rerank' : 'embedding';
  return { ...downloaded, dimension, maxTokens, task, pooling: isCls ? 'cls' : 'mean' };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

function unsupported({ name }: Downloaded, fault: string): RagmeshError {
  return new RagmeshError('MODEL.UNSUPPORTED', `The model ${name} cannot be run: ${fault}.`, { model: name });
}
