/** How a generation cuts documents, in tokens; null: as each upload said. */
export type Chunking = { readonly size: number; readonly overlap: number } | null;

/** A generation of a collection's index that new versions are written to. */
export interface Target {
  readonly generation: number;
  readonly chunking: Chunking;
  /** `name@revision` it is built with; null: the one this installation embeds with. */
  readonly model: string | null;
}
