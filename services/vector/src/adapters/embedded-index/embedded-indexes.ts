import { EmbeddedIndex } from './embedded-index.js';

/** One index belongs to exactly one tenant, collection and generation. */
export interface IndexKey {
  readonly tenant: string;
  readonly collection: string;
  readonly generation: number;
}

/** The indexes of this process. Tenants are apart by construction: no search reaches two indexes. */
export class EmbeddedIndexes {
  private readonly indexes = new Map<string, EmbeddedIndex>();

  /** The index, empty when it is new. */
  open(key: IndexKey): EmbeddedIndex {
    const name = nameOf(key);
    let index = this.indexes.get(name);
    if (!index) this.indexes.set(name, (index = new EmbeddedIndex()));
    return index;
  }

  /** The index if something was put into it; asking creates nothing. */
  find(key: IndexKey): EmbeddedIndex | undefined {
    return this.indexes.get(nameOf(key));
  }

  /** Forgets an index and its memory. @returns whether there was one. */
  drop(key: IndexKey): boolean {
    return this.indexes.delete(nameOf(key));
  }
}

/** JSON keeps names with separators in them apart. */
const nameOf = ({ tenant, collection, generation }: IndexKey): string =>
  JSON.stringify([tenant, collection, generation]);
