import type { DocumentText } from '../document-text.js';

/** Limits that hold inside the child; time and memory are watched from outside. */
export interface ContentLimits {
  readonly maxPages: number;
  readonly maxInflatedBytes: number;
  readonly maxCharacters: number;
  readonly maxZipEntries: number;
}

/** What a converter learns besides the text it appended. */
export interface Conversion {
  readonly title: string | null;
  readonly pages: number | null;
}

/** Turns one format into blocks of `output`. Throws RagmeshError for what the user can act on. */
export type Converter<Source> = (source: Source, output: DocumentText, limits: ContentLimits) => Promise<Conversion>;
