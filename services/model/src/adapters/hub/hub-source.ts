import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { RagmeshError, asRagmeshError, isRagmeshError } from '@ragmesh/errors';
import type { Logger } from '@ragmesh/observability';
import { hubManifest } from '../../domain/hub-manifest.js';
import { selectHubFiles, type HubSelection } from '../../domain/hub-selection.js';
import type { ManifestFile, ModelDtype, ModelReference } from '../../domain/model-manifest.js';
import type { ModelFolder } from '../model-folder.js';
import { FolderSource, folderName, type FindOptions, type ModelSource } from '../model-source.js';
import { DownloadLock } from './download-lock.js';
import { bytesHere, downloadFile } from './file-download.js';
import type { HubClient, HubFile } from './hub-client.js';
import { diskTrouble, metFullDisk } from './hub-failure.js';
import { RunningDownloads, type DownloadView } from './running-downloads.js';

export interface HubSourceOptions {
  readonly client: HubClient;
  /** Downloaded models, one folder each. */
  readonly folder: string;
  readonly dtype: ModelDtype;
  readonly offline: boolean;
  readonly logger: Logger;
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
 * kept as `<commit>.<number format>`, because both decide what the vectors are. A folder appears whole or not at all; one whose
 * manifest a power loss damaged counts as not here where the hub may be asked, and its files are checked and used again.
 */
export class HubSource implements ModelSource {
  private readonly cached: FolderSource;
  private readonly running = new Map<string, Promise<void>>();
  private readonly progress = new RunningDownloads();

  constructor(private readonly options: HubSourceOptions) {
    this.cached = new FolderSource(options.folder);
  }

  /** Downloads that run now. */
  get downloads(): readonly DownloadView[] {
    return this.progress.views;
  }

  async list(): Promise<ModelFolder[]> {
    return this.cached.list();
  }

  async find(reference: ModelReference, { localOnly = false }: FindOptions = {}): Promise<ModelFolder | undefined> {
    if (!reference.name.includes('/')) return undefined;
    const { commit, dtype } = PINNED.exec(reference.revision ?? '')?.groups ?? {};
    const wanted = (dtype ?? this.options.dtype) as ModelDtype;
    const exact = commit ? { name: reference.name, revision: `${commit}.${wanted}` } : undefined;
    if (localOnly) return this.known(reference, exact);
    if (this.options.offline) return (await this.known(reference, exact)) ?? this.refuseOffline(reference);
    const usable = await this.usable(exact);
    if (usable) return usable;
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
    try {
      await this.shared(target);
    } catch (error) {
      throw diskTrouble(name, error);
    }
    await this.remember(reference, target.revision);
    return this.cached.find(target);
  }

  /** Undefined also for one whose manifest is damaged: a download makes it anew. */
  private async usable(reference: ModelReference | undefined): Promise<ModelFolder | undefined> {
    try {
      return reference && (await this.cached.find(reference));
    } catch (error) {
      if (isRagmeshError(error) && error.code === 'MODEL.CORRUPT') return undefined;
      throw error;
    }
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
    const isHere = async (): Promise<boolean> => (await this.usable(target)) !== undefined;
    if (await isHere()) return;
    await mkdir(dirname(staging), { recursive: true });
    const lock = await DownloadLock.acquire(`${staging}.lock`, isHere);
    if (!lock) return;
    try {
      if (await isHere()) return;
      await takeBack(folder, staging);
      await this.download(target, staging);
      await rename(staging, folder);
    } catch (error) {
      // What fills the disk would keep it full. What there was only no room for goes on from here.
      if (metFullDisk(error)) await rm(staging, { recursive: true, force: true });
      throw diskTrouble(target.name, error);
    } finally {
      this.progress.end(target);
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
    const totalBytes = sumOf(announced.map(({ bytes }) => bytes));
    const here = await Promise.all(announced.map((file) => hereOf(file, staging)));
    const show = (bytes: number): DownloadView => ({ name, revision, bytes, totalBytes });
    await this.progress.begin(show(sumOf(here)), staging);
    const files: ManifestFile[] = [];
    for (const [at, file] of announced.entries()) {
      const others = sumOf(here.filter((_, index) => index !== at));
      const onProgress = (bytes: number): void => this.progress.progress(show(others + bytes));
      const path = join(staging, file.path);
      const sha256 = await downloadFile({ client, repository: name, commit, file, target: path, onProgress });
      here[at] = file.bytes;
      files.push({ path: file.path, bytes: file.bytes, sha256 });
    }
    const manifest = hubManifest({ name, revision, dtype, files }, await describedIn(staging));
    await writeThrough(join(staging, 'manifest.json'), JSON.stringify(manifest, null, 2));
    const ms = Math.round(performance.now() - began);
    logger.info({ model: `${name}@${revision}`, bytes: totalBytes, duration_ms: ms }, 'A model was downloaded');
  }

  /** What a branch or tag stood for when it was last asked about; else, of a bare name, any that is here. */
  private async remembered({ name, revision }: ModelReference): Promise<ModelFolder | undefined> {
    const wanted = await this.revisionOf({ name, revision });
    const folders = (await this.cached.list()).filter(({ manifest }) => manifest.name === name);
    const exact = folders.find(({ manifest: own }) => own.revision === wanted || own.revision.startsWith(`${wanted}.`));
    return exact ?? (revision === undefined ? folders.at(-1) : undefined);
  }

  /** What is here, where nothing can be downloaded in its place. @throws RagmeshError `MODEL.CORRUPT` */
  private async known(reference: ModelReference, exact?: ModelReference): Promise<ModelFolder | undefined> {
    const noted = { name: reference.name, revision: await this.revisionOf(reference) };
    const known = (exact && (await this.cached.find(exact))) ?? (noted.revision && (await this.cached.find(noted)));
    return known || (await this.remembered(reference)) || this.cached.find(noted);
  }

  /** What was noted of a branch or tag, else what was asked for. */
  private async revisionOf({ name, revision }: ModelReference): Promise<string | undefined> {
    const noted = await readFile(this.noteOf(name, revision ?? 'main'), 'utf8').catch(() => undefined);
    return noted ?? revision;
  }

  /** As well as it can: a model that is here is of use without the note, in a folder that takes no writes, say. */
  private async remember(reference: Required<ModelReference>, exact: string): Promise<void> {
    if (PINNED.test(reference.revision)) return;
    const note = this.noteOf(reference.name, reference.revision);
    if ((await readFile(note, 'utf8').catch(() => undefined)) === exact) return;
    try {
      await this.write(note, exact);
    } catch (error) {
      const model = reference.name;
      const { code } = asRagmeshError(diskTrouble(model, error));
      this.options.logger.warn({ model, code }, 'What a branch of the model stands for could not be noted');
    }
  }

  private async write(note: string, exact: string): Promise<void> {
    await mkdir(dirname(note), { recursive: true });
    const own = `${note}.${randomUUID()}`;
    try {
      await writeThrough(own, exact);
      await rename(own, note);
    } finally {
      await rm(own, { force: true });
    }
  }

  private noteOf(name: string, revision: string): string {
    return join(this.options.folder, '.revisions', folderName({ name, revision }));
  }

  private refuseOffline({ name }: ModelReference): never {
    const message = `The model ${name} has not been downloaded, and HF_HUB_OFFLINE is set.`;
    throw new RagmeshError('MODEL.OFFLINE', message, { model: name });
  }
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

/** Makes the folder that a download goes to, out of the published one where that lacks nothing but a manifest. */
async function takeBack(folder: string, staging: string): Promise<void> {
  if (await exists(folder)) {
    await rm(staging, { recursive: true, force: true });
    await rename(folder, staging);
  }
  await mkdir(staging, { recursive: true });
}

/** Ends when the disk has it: a name that outlives a power loss must not stand for an empty file. */
async function writeThrough(path: string, text: string): Promise<void> {
  const file = await open(path, 'w');
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function hereOf({ path, bytes }: HubFile, folder: string): Promise<number> {
  return Math.min(bytes, await bytesHere(join(folder, path)));
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, each) => sum + each, 0);
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
