import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isRagmeshError, RagmeshError } from '@ragmesh/errors';
import { parseModelReference, type ModelDtype, type ModelReference } from '../domain/model-manifest.js';
import { ModelFolder } from './model-folder.js';

/** A model on disk whose files are what its manifest says. */
export interface ResolvedModel {
  readonly name: string;
  readonly revision: string;
  readonly folder: string;
  readonly dimension: number;
  readonly maxTokens: number;
  readonly dtype: ModelDtype;
}

/** One place models come from. */
export interface ModelSource {
  /** Undefined when this source does not have the model. @throws RagmeshError `MODEL.CORRUPT` */
  find(reference: ModelReference): Promise<ModelFolder | undefined>;
  /** Every model of this source, not verified. */
  list(): Promise<ModelFolder[]>;
}

/** A folder that holds one folder per model, of any name. It need not exist. */
export class FolderSource implements ModelSource {
  constructor(private readonly root: string) {}

  async find({ name, revision }: ModelReference): Promise<ModelFolder | undefined> {
    const { folders, damaged } = await this.read();
    const found = folders.find(({ manifest: own }) => own.name === name && (revision ?? own.revision) === own.revision);
    const fault = damaged.get(name) ?? damaged.get(`${name}@${revision}`);
    if (!found && fault) throw fault;
    return found;
  }

  async list(): Promise<ModelFolder[]> {
    return (await this.read()).folders;
  }

  /** A folder without a usable manifest must not hide its neighbours; its fault is kept under the folder's name. */
  private async read(): Promise<{ folders: ModelFolder[]; damaged: Map<string, RagmeshError> }> {
    const damaged = new Map<string, RagmeshError>();
    const open = (name: string): Promise<ModelFolder | undefined> =>
      ModelFolder.open(join(this.root, name)).catch((error: unknown) => {
        if (!isRagmeshError(error)) throw error;
        damaged.set(name, error);
        return undefined;
      });
    const entries = await readdir(this.root, { withFileTypes: true }).catch(emptyWhenAbsent);
    const names = entries.filter((entry) => !entry.isFile()).map(({ name }) => name);
    const folders = await Promise.all(names.toSorted().map(open));
    return { folders: folders.filter((folder) => folder !== undefined), damaged };
  }
}

function emptyWhenAbsent(error: NodeJS.ErrnoException): [] {
  if (error.code === 'ENOENT') return [];
  throw error;
}

/** The models that come with ragmesh. */
export function bundledSource(): ModelSource {
  return new FolderSource(fileURLToPath(new URL('../../bundled', import.meta.url)));
}

/** Asks its sources in order; the first that has a model decides, a damaged one is an error and not a reason to go on. */
export class ModelResolver {
  private readonly verified = new Map<string, Promise<ResolvedModel>>();

  constructor(private readonly sources: readonly ModelSource[]) {}

  /**
   * Finds `name` or `name@revision` and checks its files, once per folder and process.
   * @throws RagmeshError `MODEL.NOT_FOUND`, `MODEL.CORRUPT` naming the file
   */
  async resolve(reference: string): Promise<ResolvedModel> {
    const wanted = parseModelReference(reference);
    for (const source of this.sources) {
      const folder = await source.find(wanted);
      if (folder) return this.verifiedOnce(folder);
    }
    throw new RagmeshError('MODEL.NOT_FOUND', `No source has the model ${reference}.`, { model: reference });
  }

  /** Every model that can be resolved, the source that wins first. */
  async list(): Promise<Omit<ResolvedModel, 'folder'>[]> {
    const perSource = await Promise.all(this.sources.map((source) => source.list()));
    const models = perSource.flat().map(({ manifest: { files: _files, ...model } }) => model);
    return [
      ...new Map(models.toReversed().map((model) => [`${model.name}@${model.revision}`, model])).values(),
    ].toReversed();
  }

  private verifiedOnce(folder: ModelFolder): Promise<ResolvedModel> {
    const { name, revision, dimension, maxTokens, dtype } = folder.manifest;
    const key = `${folder.path}@${revision}`;
    const known = this.verified.get(key);
    if (known) return known;
    const verified = folder.verify().then(() => ({ name, revision, folder: folder.path, dimension, maxTokens, dtype }));
    this.verified.set(key, verified);
    // A repaired folder is found without a restart.
    verified.catch(() => this.verified.delete(key));
    return verified;
  }
}
