import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, stat, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RagmeshError, asRagmeshError } from '@ragmesh/errors';
import type { Logger } from '@ragmesh/observability';
import { hubManifest } from '../../domain/hub-manifest.js';
import { selectHubFiles, type HubSelection } from '../../domain/hub-selection.js';
import type { ManifestFile, ModelDtype, ModelReference } from '../../domain/model-manifest.js';
import type { ModelFolder } from '../model-folder.js';
import { FolderSource, type FindOptions, type ModelSource } from '../model-source.js';
import { DownloadLock } from './download-lock.js';
import { downloadFile } from './file-download.js';
import type { HubClient } from './hub-client.js';

export interface HubSourceOptions {
  readonly client: HubClient;
  /** Downloaded models, one folder each. */
  readonly folder: string;
  readonly dtype: ModelDtype;
  readonly offline: boolean;
  readonly logger: Logger;
}

/** A download that runs in this process. */
export interface DownloadView {
  readonly name: string;
  readonly revision: string;
  readonly bytes: number;
  readonly totalBytes: number;
}

/** One model at one commit, and where its files go. */
interface Target extends HubSelection {
  readonly name: string;
  readonly commit: string;
  readonly revision: string;
}

const PINNED = /^(?<commit>[0-9a-f]{40})(?:\.(?<dtype>q8|fp16|fp32))?$/;

/**
 * Models of the Hugging Face hub, named `owner/name` with a branch, tag or commit as revision. What has been downloaded is
 * kept as `<commit>.<number format>`, because both decide what the vectors are. A folder appears whole or not at all.
 */
export class HubSource implements ModelSource {
  private readonly cached: FolderSource;
  private readonly running = new Map<string, Promise<void>>();
  private readonly views = new Map<string, DownloadView>();

  constructor(private readonly options: HubSourceOptions) {
    this.cached = new FolderSource(options.folder);
  }

  /** Downloads that run now. */
  get downloads(): readonly DownloadView[] {
    return [...this.views.values()];
  }

  async list(): Promise<ModelFolder[]> {
    return this.cached.list();
  }

  async find(reference: ModelReference, { localOnly = false }: FindOptions = {}): Promise<ModelFolder | undefined> {
    if (!reference.name.includes('/')) return undefined;
    const { commit, dtype } = PINNED.exec(reference.revision ?? '')?.groups ?? {};
    const wanted = (dtype ?? this.options.dtype) as ModelDtype;
    const exact = commit && (await this.cached.find({ name: reference.name, revision: `${commit}.${wanted}` }));
    if (exact) return exact;
    if (localOnly) return this.remembered(reference);
    if (this.options.offline) return (await this.remembered(reference)) ?? this.refuseOffline(reference);
    return this.fetch({ name: reference.name, revision: commit ?? reference.revision ?? 'main' }, wanted);
  }

  private async fetch(reference: Required<ModelReference>, wanted: ModelDtype): Promise<ModelFolder | undefined> {
    const { name, revision } = reference;
    let target: Target;
    try {
      const { commit, paths } = await this.options.client.revision(name, revision);
      const selection = selectHubFiles(name, paths, wanted);
      target = { ...selection, name, commit, revision: `${commit}.${selection.dtype}` };
    } catch (error) {
      const { retry, code } = asRagmeshError(error);
      const known = retry === 'transient' ? await this.remembered(reference) : undefined;
      if (!known) throw error;
      this.options.logger.warn({ model: name, code }, 'The hub cannot be asked; the model is used as last downloaded');
      return known;
    }
    await this.shared(target);
    await this.remember(reference, target.revision);
    return this.cached.find(target);
  }

  /** One download per model in this process; the lock file makes it one on the machine. */
  private shared(target: Target): Promise<void> {
    const key = folderName(target);
    const running = this.running.get(key) ?? this.downloadOnce(target).finally(() => this.running.delete(key));
    this.running.set(key, running);
    return running;
  }

  private async downloadOnce(target: Target): Promise<void> {
    const folder = join(this.options.folder, folderName(target));
    const staging = join(this.options.folder, '.downloads', folderName(target));
    if (await exists(folder)) return;
    await mkdir(staging, { recursive: true });
    const lock = await DownloadLock.acquire(`${staging}.lock`, () => exists(folder));
    if (!lock) return;
    try {
      if (await exists(folder)) return;
      await mkdir(staging, { recursive: true });
      await this.download(target, staging);
      await rename(staging, folder);
    } finally {
      this.views.delete(target.revision);
      await lock.release();
    }
  }

  private async download(target: Target, staging: string): Promise<void> {
    const { name, commit, revision, dtype, paths } = target;
    const { client, logger } = this.options;
    const began = performance.now();
    const announced = await Promise.all(
      paths.map((path) => client.announce({ repository: name, revision: commit, path })),
    );
    const totalBytes = announced.reduce((sum, { bytes }) => sum + bytes, 0);
    await demandRoom(staging, name, totalBytes);
    let before = 0;
    const files: ManifestFile[] = [];
    for (const file of announced) {
      const onProgress = (bytes: number): void =>
        void this.views.set(revision, { name, revision, bytes: before + bytes, totalBytes });
      onProgress(0);
      const target = join(staging, file.path);
      const sha256 = await downloadFile({ client, repository: name, commit, file, target, onProgress });
      before += file.bytes;
      files.push({ path: file.path, bytes: file.bytes, sha256 });
    }
    const manifest = hubManifest({ name, revision, dtype, files }, await describedIn(staging));
    await writeFile(join(staging, 'manifest.json'), JSON.stringify(manifest, null, 2));
    const ms = Math.round(performance.now() - began);
    logger.info({ model: `${name}@${revision}`, bytes: totalBytes, duration_ms: ms }, 'A model was downloaded');
  }

  /** What a branch or tag stood for when it was last asked about; else, of a bare name, any that is here. */
  private async remembered({ name, revision }: ModelReference): Promise<ModelFolder | undefined> {
    const noted = await readFile(this.noteOf(name, revision ?? 'main'), 'utf8').catch(() => undefined);
    const wanted = noted ?? revision;
    const folders = (await this.cached.list()).filter(({ manifest }) => manifest.name === name);
    const exact = folders.find(({ manifest: own }) => own.revision === wanted || own.revision.startsWith(`${wanted}.`));
    return exact ?? (revision === undefined ? folders.at(-1) : undefined);
  }

  private async remember({ name, revision }: Required<ModelReference>, exact: string): Promise<void> {
    if (PINNED.test(revision)) return;
    const note = this.noteOf(name, revision);
    await mkdir(join(this.options.folder, '.revisions'), { recursive: true });
    const own = `${note}.${randomUUID()}`;
    await writeFile(own, exact);
    await rename(own, note);
  }

  private noteOf(name: string, revision: string): string {
    return join(this.options.folder, '.revisions', folderName({ name, revision }));
  }

  private refuseOffline({ name }: ModelReference): never {
    const message = `The model ${name} has not been downloaded, and HF_HUB_OFFLINE is set.`;
    throw new RagmeshError('MODEL.OFFLINE', message, { model: name });
  }
}

function folderName({ name, revision }: { name: string; revision: string }): string {
  return `${name.replace('/', '--')}@${revision}`;
}

async function describedIn(folder: string): Promise<Parameters<typeof hubManifest>[1]> {
  const json = async (path: string): Promise<Record<string, unknown>> => {
    const text = await readFile(join(folder, path), 'utf8').catch(() => '{}');
    try {
      return Object(JSON.parse(text)) as Record<string, unknown>;
    } catch (cause) {
      throw new RagmeshError('MODEL.UNSUPPORTED', `${path} of the model is not JSON.`, { file: path }, { cause });
    }
  };
  const [config, tokenizer, sentences, pooling] = await Promise.all(
    ['config.json', 'tokenizer_config.json', 'sentence_bert_config.json', '1_Pooling/config.json'].map(json),
  );
  return { config: config!, tokenizer: tokenizer!, sentences: sentences!, pooling: pooling! };
}

/** Said before the download rather than at its end. */
async function demandRoom(folder: string, model: string, needed: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= needed) return;
  const details = { model, bytes: needed, free: bavail * bsize };
  throw new RagmeshError('STORAGE.FULL', `The model ${model} needs ${needed} bytes on the disk.`, details);
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
