import { isRagmeshError } from '@ragmesh/errors';
import { v5 as uuidv5 } from 'uuid';
import type { Scope } from '../vector-store.js';
import type { QdrantConnection } from './qdrant-connection.js';

/** Any constant: it makes alias names differ from other people's UUIDv5. */
const NAMESPACE = '0d8d2f3e-3f0c-4e0b-9a52-6a0f6e6c1d11';

const keyword = 'keyword' as const;
const indexes = [
  ['tenant', { type: keyword, is_tenant: true }],
  ['collection', keyword],
  ['document_id', keyword],
  ['version', 'integer'],
  ['visible', 'bool'],
  ['terms', keyword],
  ['text_order', 'float'],
  ['restricted', 'bool'],
  ['access', keyword],
] as const;

/** Vectors of one length, of one generation. */
export interface EmbeddingSpace {
  readonly dimension: number;
  readonly generation: number;
}

/**
 * Qdrant's collections: one per vector length and generation, shared by all tenants, and one alias for each collection of
 * a tenant. Searches go to the alias, so one swap is the cut-over from a generation to another.
 */
export class QdrantCollections {
  private readonly ready = new Map<string, Promise<string>>();
  private readonly aliased = new Map<string, string>();
  private readonly names: RegExp;

  /** @param prefix of every name this service gives. */
  constructor(
    private readonly connection: QdrantConnection,
    private readonly prefix: string,
  ) {
    this.names = new RegExp(`^${prefix.replace(/[^\w-]/g, '\\$&')}-(\\d+)-g(\\d+)$`);
  }

  /** What searches of a tenant's collection go to. */
  alias({ tenant, collection }: Scope): string {
    return `${this.prefix}.${uuidv5(JSON.stringify([tenant, collection]), NAMESPACE)}`;
  }

  name({ dimension, generation }: EmbeddingSpace): string {
    return `${this.prefix}-${dimension}-g${generation}`;
  }

  /** The collection for vectors of this kind, made when it is missing. Safe when several processes come at once. */
  async ensure(space: EmbeddingSpace): Promise<string> {
    const name = this.name(space);
    let ready = this.ready.get(name);
    if (!ready) this.ready.set(name, (ready = this.create(name, space.dimension)));
    try {
      return await ready;
    } catch (error) {
      this.ready.delete(name);
      throw error;
    }
  }

  /** Every collection of this service that exists. */
  async existing(): Promise<{ readonly name: string; readonly space: EmbeddingSpace }[]> {
    const { collections } = await this.connection.read((client) => client.getCollections());
    return collections.flatMap(({ name }) => {
      const [, dimension, generation] = this.names.exec(name) ?? [];
      if (dimension === undefined) return [];
      return [{ name, space: { dimension: Number(dimension), generation: Number(generation) } }];
    });
  }

  /** Sees to it that the alias of a tenant's collection points to one of Qdrant's; the server is asked only once. */
  async direct(scope: Scope, name: string | undefined): Promise<void> {
    if (name === undefined || this.aliased.get(this.alias(scope)) !== name) await this.redirect(scope, name);
  }

  /**
   * Points the alias of a tenant's collection to one of Qdrant's, in one step when it points elsewhere, as another process may
   * have had it; to none when nothing is to be found.
   */
  async redirect(scope: Scope, name: string | undefined): Promise<void> {
    const alias = this.alias(scope);
    const { aliases } = await this.connection.read((client) => client.getAliases());
    const current = aliases.find(({ alias_name: other }) => other === alias)?.collection_name;
    if (current !== name) {
      const actions = [
        ...(current === undefined ? [] : [{ delete_alias: { alias_name: alias } }]),
        ...(name === undefined ? [] : [{ create_alias: { collection_name: name, alias_name: alias } }]),
      ];
      await this.connection.write((client) => client.updateCollectionAliases({ actions }));
    }
    if (name === undefined) this.aliased.delete(alias);
    else this.aliased.set(alias, name);
  }

  /** Drops what is known of the server: it may have lost anything. */
  forget(): void {
    this.ready.clear();
    this.aliased.clear();
  }

  /** Removes one of Qdrant's collections; the aliases that point to it go with it, whosesoever they are. */
  async drop(name: string): Promise<void> {
    try {
      await this.connection.write((client) => client.deleteCollection(name));
    } finally {
      this.ready.delete(name);
      for (const [alias, target] of this.aliased) if (target === name) this.aliased.delete(alias);
    }
  }

  private async create(name: string, dimension: number): Promise<string> {
    const { exists } = await this.connection.read((client) => client.collectionExists(name));
    if (!exists) await this.createOnce(name, dimension);
    for (const [field_name, field_schema] of indexes) {
      await this.connection.write((client) =>
        client.createPayloadIndex(name, { field_name, field_schema, wait: true }),
      );
    }
    return name;
  }

  /** Another process may be faster; then the server refuses and there is nothing left to do. */
  private async createOnce(name: string, dimension: number): Promise<void> {
    try {
      await this.connection.write((client) =>
        client.createCollection(name, {
          vectors: { dense: { size: dimension, distance: 'Cosine' } },
          sparse_vectors: { lexical: { modifier: 'idf' } },
          hnsw_config: { m: 16, ef_construct: 128, payload_m: 16 },
          on_disk_payload: true,
        }),
      );
    } catch (error) {
      if (!isRagmeshError(error) || error.details.status !== 409) throw error;
    }
  }
}
