import type { SplittingOptions } from '../../domain/splitting/chunk.js';
import type { ContentLimits } from './converters/converter.js';

/** Payload of a `job` frame; the bytes of the file follow in `file` frames up to an `end` frame. */
export interface ParseJob {
  readonly fileName?: string;
  readonly isPlainText?: boolean;
  readonly splitting: SplittingOptions;
  readonly limits: ContentLimits;
}

/** Payload of a `done` frame, after the last `text` and `chunks` frame. */
export interface ParseSummary {
  readonly mediaType: string;
  readonly title: string | null;
  readonly characters: number;
  readonly pages: number | null;
  readonly chunkCount: number;
}

/** Payload of a `failed` frame. */
export interface ParseFailure {
  readonly code: string;
  readonly message: string;
  readonly details: Record<string, string | number | boolean>;
}
