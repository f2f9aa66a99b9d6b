import { RagmeshError } from '@ragmesh/errors';
import { fromBufferPromise, type Entry, type ZipFile } from 'yauzl';
import type { ContentLimits } from './converters/converter.js';
import { limitExceeded } from './document-text.js';

/** A part that unpacks to more than this many times its size is an attack once it is also large. */
const maxRatio = 200;
const ratioMatters = 8 * 1024 * 1024;
const maxFolderDepth = 16;

/**
 * A zip file whose directory was checked before anything is unpacked: number of entries, declared sizes and ratio, depth,
 * and names that leave the archive. Sizes are counted again while unpacking, so a lying directory gains nothing. Archives
 * inside the archive are never opened.
 */
export class ZipArchive {
  private inflated = 0;

  private constructor(
    private readonly file: ZipFile,
    private readonly entries: ReadonlyMap<string, Entry>,
    private readonly limits: ContentLimits,
  ) {}

  /** @throws `DOCUMENT.CORRUPT` for a damaged directory or a forbidden name, `DOCUMENT.LIMIT_EXCEEDED` naming the limit. */
  static async open(bytes: Buffer, limits: ContentLimits): Promise<ZipArchive> {
    const file = await fromBufferPromise(bytes, { lazyEntries: true, validateEntrySizes: true }).catch(damaged);
    if (file.entryCount > limits.maxZipEntries) throw limitExceeded('zip entries', limits.maxZipEntries);
    const entries = new Map<string, Entry>();
    let declared = 0;
    try {
      for await (const entry of file.eachEntry()) {
        checkEntry(entry);
        declared += entry.uncompressedSize;
        if (declared > limits.maxInflatedBytes) throw limitExceeded('inflated bytes', limits.maxInflatedBytes, 'bytes');
        if (entries.has(entry.fileName)) throw corrupt('It names one part twice.');
        entries.set(entry.fileName, entry);
      }
    } catch (error) {
      damaged(error);
    }
    return new ZipArchive(file, entries, limits);
  }

  get names(): Iterable<string> {
    return this.entries.keys();
  }

  has(name: string): boolean {
    return this.entries.has(name);
  }

  /** Streams a part, decoded as UTF-8, in pieces; a part that does not exist has none. */
  async *read(name: string): AsyncGenerator<string> {
    const entry = this.entries.get(name);
    if (!entry) return;
    const decoder = new TextDecoder();
    try {
      for await (const piece of await this.file.openReadStreamPromise(entry)) {
        const bytes = piece as Buffer;
        this.inflated += bytes.length;
        if (this.inflated > this.limits.maxInflatedBytes) {
          throw limitExceeded('inflated bytes', this.limits.maxInflatedBytes, 'bytes');
        }
        yield decoder.decode(bytes, { stream: true });
      }
    } catch (error) {
      damaged(error);
    }
    yield decoder.decode();
  }
}

function checkEntry(entry: Entry): void {
  const name = entry.fileName;
  const segments = name.split(/[/\\]/);
  if (segments.includes('..') || /^(?:[/\\]|[a-z]:)/i.test(name)) throw corrupt('A name in it leaves the archive.');
  // Unix keeps the file type in the upper half of the attributes: 0o120000 is a symbolic link.
  if (((entry.externalFileAttributes >>> 16) & 0o170000) === 0o120000) throw corrupt('It contains a symbolic link.');
  if (entry.isEncrypted()) {
    throw new RagmeshError('DOCUMENT.ENCRYPTED', 'The document is protected by a password.');
  }
  if (segments.length > maxFolderDepth) throw limitExceeded('zip folder depth', maxFolderDepth);
  if (entry.uncompressedSize > ratioMatters && entry.uncompressedSize > entry.compressedSize * maxRatio) {
    throw limitExceeded('compression ratio', maxRatio);
  }
}

export function corrupt(sentence: string, cause?: unknown): RagmeshError {
  return new RagmeshError('DOCUMENT.CORRUPT', `The file is damaged. ${sentence}`, {}, { cause });
}

function damaged(error: unknown): never {
  if (error instanceof RagmeshError) throw error;
  if (
    /^(?:invalid relative path|absolute path|invalid characters in fileName)/.test(String((error as Error).message))
  ) {
    throw corrupt('A name in it leaves the archive.', error);
  }
  throw corrupt('Its zip structure cannot be read.', error);
}
