import { RagmeshError } from '@ragmesh/errors';
import { isPathInside, type ModelDtype } from './model-manifest.js';

export interface HubSelection {
  readonly dtype: ModelDtype;
  readonly paths: readonly string[];
}

/** Weights by number format, as exports for ONNX Runtime name them; the format wanted comes first, then these in order. */
const weights: Readonly<Record<ModelDtype, string>> = {
  q8: 'onnx/model_quantized.onnx',
  fp16: 'onnx/model_fp16.onnx',
  fp32: 'onnx/model.onnx',
};

const required = ['tokenizer.json', 'config.json'];
const optional = [
  'tokenizer_config.json',
  'special_tokens_map.json',
  'sentence_bert_config.json',
  '1_Pooling/config.json',
];

/**
 * Which files of a repository are needed to run its model: one set of weights and the tokenizer's.
 * @throws RagmeshError MODEL.UNSUPPORTED when one that must be there is not, or any path leads out of its folder.
 */
export function selectHubFiles(repository: string, paths: readonly string[], wanted: ModelDtype): HubSelection {
  const unsupported = (what: string): RagmeshError =>
    new RagmeshError('MODEL.UNSUPPORTED', `The repository ${repository} has ${what}.`, { model: repository });
  if (!paths.every(isPathInside)) throw unsupported('a file whose path leaves the repository');
  const there = new Set(paths);
  const dtype = [wanted, ...(Object.keys(weights) as ModelDtype[])].find((each) => there.has(weights[each]));
  if (!dtype) throw unsupported('no ONNX weights below onnx/');
  for (const path of required) if (!there.has(path)) throw unsupported(`no ${path}`);
  const needed = [weights[dtype], `${weights[dtype]}_data`, ...required, ...optional];
  return { dtype, paths: needed.filter((path) => there.has(path)) };
}
