import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { RagmeshError } from '@ragmesh/errors';
import { parseManifest, type ManifestFile, type ModelManifest } from '../domain/model-manifest.js';

/** A folder with a `manifest.json` and the files it lists. */
export class ModelFolder {
  private constructor(
    readonly path: string,
    readonly manifest: ModelManifest,
  ) {}

  /**
   * Undefined when there is no manifest at `path`.
   * @throws RagmeshError `MODEL.CORRUPT` when there is one that cannot be used, `STORAGE.UNAVAILABLE` when it cannot be read:
   *   then nothing is known of it
   */
  static async open(path: string): Promise<ModelFolder | undefined> {
    const json = await readFile(join(path, 'manifest.json'), 'utf8')
      .catch(undefinedWhenAbsent)
      .catch((cause: NodeJS.ErrnoException) => {
        const message = `The model manifest cannot be read (${cause.code}).`;
        const details = { file: 'manifest.json', reason: cause.code ?? 'unknown' };
        throw new RagmeshError('STORAGE.UNAVAILABLE', message, details, { cause });
      });
    return json === undefined ? undefined : new ModelFolder(path, parseManifest(json));
  }

  get bytes(): number {
    return this.manifest.files.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** SHA-256 over path and checksum of every listed file. */
  get digest(): string {
    const lines = this.manifest.files.map(({ path, sha256 }) => `${sha256} ${path}\n`);
    return createHash('sha256').update(lines.toSorted().join('')).digest('hex');
  }

  /** What a change of any of the files would alter; costs no reading. */
  async traces(): Promise<string> {
    const paths = ['manifest.json', ...this.manifest.files.map(({ path }) => path)];
    const traceOf = async (path: string): Promise<string> => {
      const found = await stat(join(this.path, path), { bigint: true }).catch(undefinedWhenAbsent);
      return found ? [found.ino, found.size, found.mtimeNs, found.ctimeNs].join(':') : 'absent';
    };
    return (await Promise.all(paths.map(traceOf))).join(' ');
  }

  /**
   * Compares size and SHA-256 of every listed file with the manifest. Files are read as streams, so neither memory nor
   * the event loop notices their size.
   * @throws RagmeshError `MODEL.CORRUPT`, naming the first file that differs
   */
  async verify(): Promise<void> {
    for (const file of this.manifest.files) await this.verifyFile(file);
  }

  private async verifyFile({ path, bytes, sha256 }: ManifestFile): Promise<void> {
    const found = await stat(join(this.path, path)).catch(undefinedWhenAbsent);
    if (!found) throw this.corrupt(path, 'is missing');
    if (found.size !== bytes) throw this.corrupt(path, `has ${found.size} bytes instead of ${bytes}`);
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(join(this.path, path))) hash.update(chunk as Buffer);
    if (hash.digest('hex') !== sha256) throw this.corrupt(path, 'has another SHA-256 than the manifest');
  }

  private corrupt(file: string, fault: string): RagmeshError {
    const { name, revision } = this.manifest;
    return new RagmeshError('MODEL.CORRUPT', `Model file ${file} ${fault}.`, { model: `${name}@${revision}`, file });
  }
}

function undefinedWhenAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
  throw error;
}
