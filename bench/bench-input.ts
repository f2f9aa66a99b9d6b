import type { DatasetDocument } from '../eval/dataset.js';

/** What every scenario works with. */
export interface BenchInput {
  readonly root: string;
  /** Folder of the dataset the documents are from. */
  readonly dataset: string;
  readonly documents: readonly DatasetDocument[];
  /** Folder of the embedding model. */
  readonly model: string;
  /** Folder with real files and their MANIFEST.tsv. */
  readonly files: string;
  /** How long a scenario that can take any time goes on; its own default unless given. */
  readonly seconds: number | undefined;
  /** Concurrent event-stream clients. */
  readonly clients: number;
  /** Chunks in the index of S4 and S5. */
  readonly chunks: number;
}
