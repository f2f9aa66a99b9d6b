import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isRagmeshError, RagmeshError } from '@ragmesh/errors';
import { parseModelReference, type ModelManifest, type ModelReference } from '../domain/model-manifest.js';
import { ModelFolder } from './model-folder.js';

/** A model on disk whose files are what its manifest says. */
export interface ResolvedModel extends Omit<ModelManifest, 'files'> {
  readonly folder: string;
  readonly bytes: number;
  /** SHA-256 over the checksums of its files: what is here under this name and revision. */
  readonly digest: string;
}

export interface FindOptions {
  /** Takes what is on this machine and calls nobody. */
  readonly localOnly?: boolean;
}

/** One place models come from. */
export interface ModelSource {
  /** Undefined when this source does not have the model. @throws RagmeshError `MODEL.CORRUPT`, `STORAGE.UNAVAILABLE` */
  find(reference: ModelReference, options?: FindOptions): Promise<ModelFolder | undefined>;
  /** Every model of this source, not verified. */
  list(): Promise<ModelFolder[]>;
}

/** What the folder of a model is called where ragmesh names it. */
export const folderName = ({ name, revision }: ModelReference): string =>
  `${name.replace('/', '--')}${revision === undefined ? '' : `@${revision}`}`;

/** A folder that holds one folder per model, of any name. It need not exist. */
export class FolderSource implements ModelSource {
  constructor(private readonly root: string) {}

  async find({ name, revision }: ModelReference): Promise<ModelFolder | undefined> {
    const { folders, faults } = await this.read();
    const found = folders.find(({ manifest: own }) => own.name === name && (revision ?? own.revision) === own.revision);
    const fault = faults.get(folderName({ name })) ?? faults.get(folderName({ name, revision }));
    if (!found && fault) throw fault;
    return found;
  }

  async list(): Promise<ModelFolder[]> {
    return (await this.read()).folders;
  }

  /** A folder without a usable manifest must not hide its neighbours; its fault is kept under the folder's name. */
  private async read(): Promise<{ folders: ModelFolder[]; faults: Map<string, RagmeshError> }> {
    const faults = new Map<string, RagmeshError>();
    const open = (name: string): Promise<ModelFolder | undefined> =>
      ModelFolder.open(join(this.root, name)).catch((error: unknown) => {
        if (!isRagmeshError(error)) throw error;
        faults.set(name, error);
        return undefined;
      });
    const entries = await readdir(this.root, { withFileTypes: true }).catch(emptyWhenAbsent);
    const names = entries.filter((entry) => !entry.isFile() && !entry.name.startsWith('.')).map(({ name }) => name);
    const folders = await Promise.all(names.toSorted().map(open));
    return { folders: folders.filter((folder) => folder !== undefined), faults };
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
  private readonly verified = new Map<string, { readonly traces: string; readonly model: Promise<ResolvedModel> }>();

  constructor(private readonly sources: readonly ModelSource[]) {}

  /**
   * Finds `name` or `name@revision` and checks its files; again when they were touched since.
   * @throws RagmeshError `MODEL.NOT_FOUND`, `MODEL.CORRUPT` naming the file, and what a download can fail with
   */
  async resolve(reference: string, options: FindOptions = {}): Promise<ResolvedModel> {
    const wanted = parseModelReference(reference);
    for (const source of this.sources) {
      const folder = await source.find(wanted, options);
      if (folder) return this.verify(folder);
    }
    throw new RagmeshError('MODEL.NOT_FOUND', `No source has the model ${reference}.`, { model: reference });
  }

  /** Every model that can be resolved, the source that wins first; not verified. */
  async list(): Promise<ResolvedModel[]> {
    const perSource = await Promise.all(this.sources.map((source) => source.list()));
    const models = perSource.flat().map((folder) => describe(folder));
    return [
      ...new Map(models.toReversed().map((model) => [`${model.name}@${model.revision}`, model])).values(),
    ].toReversed();
  }

  private async verify(folder: ModelFolder): Promise<ResolvedModel> {
    const traces = await folder.traces();
    const known = this.verified.get(folder.path);
    if (known?.traces === traces) return known.model;
    const model = folder.verify().then(() => describe(folder));
    this.verified.set(folder.path, { traces, model });
    // A repaired folder is found without a restart.
    model.catch(() => this.verified.delete(folder.path));
    return model;
  }
}

function describe({ path, manifest, bytes, digest }: ModelFolder): ResolvedModel {
  const { files: _files, ...model } = manifest;
  return { ...model, folder: path, bytes, digest };
}
