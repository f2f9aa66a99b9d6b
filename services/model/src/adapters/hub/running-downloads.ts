import { statfs } from 'node:fs/promises';
import { RagmeshError } from '@ragmesh/errors';

/** A download that runs in this process. */
export interface DownloadView {
  readonly name: string;
  readonly revision: string;
  /** Here already, those that an earlier download brought included. */
  readonly bytes: number;
  readonly totalBytes: number;
}

/** The downloads of this process, how far they are, and the room on the disk that each still needs. */
export class RunningDownloads {
  readonly #views = new Map<string, DownloadView>();

  get views(): readonly DownloadView[] {
    return [...this.#views.values()];
  }

  /**
   * Lets a download begin when the disk has room for what it lacks beside what all others still lack.
   * @param folder on the disk that it goes to.
   * @throws RagmeshError STORAGE.FULL, said before the download rather than at its end.
   */
  async begin(view: DownloadView, folder: string): Promise<void> {
    const { bavail, bsize } = await statfs(folder);
    // Nothing may be waited for from here on: another download would count the same room.
    const free = bavail * bsize - this.views.reduce((sum, other) => sum + lacking(other), 0);
    if (free < lacking(view)) {
      const details = { model: view.name, bytes: lacking(view), free: Math.max(0, free) };
      throw new RagmeshError(
        'STORAGE.FULL',
        `The model ${view.name} needs ${lacking(view)} bytes on the disk.`,
        details,
      );
    }
    this.progress(view);
  }

  progress(view: DownloadView): void {
    this.#views.set(keyOf(view), view);
  }

  end(download: Pick<DownloadView, 'name' | 'revision'>): void {
    this.#views.delete(keyOf(download));
  }
}

const lacking = ({ bytes, totalBytes }: DownloadView): number => totalBytes - bytes;
const keyOf = ({ name, revision }: Pick<DownloadView, 'name' | 'revision'>): string => `${name}@${revision}`;
