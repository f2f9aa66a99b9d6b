import { RagmeshError } from '@ragmesh/errors';

export interface ManifestFile {
  /** Relative to the model's folder, with `/`, never leaving it. */
  readonly path: string;
  readonly bytes: number;
  /** Hexadecimal, lower case. */
  readonly sha256: string;
}

export const modelDtypes = ['fp32', 'fp16', 'q8'] as const;
export type ModelDtype = (typeof modelDtypes)[number];

/** What a model is for: vectors of texts, or scores of pairs of texts. */
export const modelTasks = ['embedding', 'rerank'] as const;
export type ModelTask = (typeof modelTasks)[number];

/** How the vectors of tokens become one: their mean, or that of the first token. */
export const poolings = ['mean', 'cls'] as const;
export type Pooling = (typeof poolings)[number];

/** What a model folder promises about itself in `manifest.json`; unknown members are ignored. */
export interface ModelManifest {
  /** With an owner before a slash when it is a model of the hub. */
  readonly name: string;
  /** Changes whenever the vectors change; of the hub's models the commit. */
  readonly revision: string;
  /** Length of a vector; 1 for a model that scores. */
  readonly dimension: number;
  /** Longest input in tokens, special tokens included. */
  readonly maxTokens: number;
  readonly dtype: ModelDtype;
  /** `embedding` unless the manifest says otherwise. */
  readonly task: ModelTask;
  /** `mean` unless the manifest says otherwise. */
  readonly pooling: Pooling;
  readonly files: readonly ManifestFile[];
}

const namePattern = /^(?:[A-Za-z0-9][\w.-]{0,99}\/)?[A-Za-z0-9][\w.-]{0,99}$/;
const revisionPattern = /^[A-Za-z0-9][\w.-]{0,99}$/;
const sha256Pattern = /^[0-9a-f]{64}$/;

/** Reads a manifest. @throws RagmeshError `MODEL.CORRUPT`, naming the first member that is missing or wrong. */
export function parseManifest(json: string): ModelManifest {
  const source = parsedObject(json);
  const manifest = { task: 'embedding', pooling: 'mean', ...source } as unknown as ModelManifest;
  demand('name', matches(namePattern, source['name']));
  demand('revision', matches(revisionPattern, source['revision']));
  demand('dimension', isPositive(source['dimension']));
  demand('maxTokens', isPositive(source['maxTokens']));
  demand('dtype', modelDtypes.includes(manifest.dtype));
  demand('task', modelTasks.includes(manifest.task));
  demand('pooling', poolings.includes(manifest.pooling));
  demand('files', Array.isArray(source['files']) && source['files'].length > 0);
  manifest.files.forEach((file, at) => {
    demand(`files[${at}].path`, isPathInside(file?.path));
    demand(`files[${at}].bytes`, isPositive(file.bytes));
    demand(`files[${at}].sha256`, sha256Pattern.test(String(file.sha256)));
  });
  const { name, revision, dimension, maxTokens, dtype, task, pooling, files } = manifest;
  return { name, revision, dimension, maxTokens, dtype, task, pooling, files };
}

export interface ModelReference {
  readonly name: string;
  /** Undefined: whichever revision the first source with that name has. */
  readonly revision?: string;
}

/** Reads `name` or `name@revision`. @throws RagmeshError `MODEL.NOT_FOUND` when it cannot name a model. */
export function parseModelReference(text: string): ModelReference {
  const [name = '', revision, ...rest] = text.split('@');
  const isValid =
    namePattern.test(name) && (revision === undefined || revisionPattern.test(revision)) && rest.length === 0;
  if (!isValid) throw new RagmeshError('MODEL.NOT_FOUND', 'A model is named as name or name@revision.');
  return { name, revision };
}

function parsedObject(json: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new RagmeshError('MODEL.CORRUPT', 'The model manifest is not JSON.', { file: 'manifest.json' }, { cause });
  }
  if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  throw new RagmeshError('MODEL.CORRUPT', 'The model manifest is not an object.', { file: 'manifest.json' });
}

function demand(member: string, holds: boolean): void {
  if (holds) return;
  const message = `The model manifest has no valid ${member}.`;
  throw new RagmeshError('MODEL.CORRUPT', message, { file: 'manifest.json', member });
}

function matches(pattern: RegExp, value: unknown): boolean {
  return typeof value === 'string' && pattern.test(value);
}

function isPositive(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

/** A relative path that cannot lead out of the folder it is below. */
export function isPathInside(path: unknown): boolean {
  if (typeof path !== 'string' || path === '' || path.includes('\\') || path.includes('\0')) return false;
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}
