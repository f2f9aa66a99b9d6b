import { createHash } from 'node:crypto';
import { badFormat, notFound, wrongInput } from './qdrant-refusal.js';
import type { Call, Route, Storage } from './qdrant-stand-in.js';
import { StoredCollection, readParameters } from './stored-collection.js';

type AliasAction =
  { create_alias: { collection_name: string; alias_name: string } } | { delete_alias: { alias_name: string } };

interface Snapshot {
  readonly name: string;
  readonly creation_time: string;
  readonly size: number;
  readonly checksum: string;
}

const fieldTypes = ['keyword', 'integer', 'float', 'geo', 'text', 'bool', 'datetime', 'uuid'];

/** The collection under a name or an alias. @throws QdrantRefusal when there is neither. */
export function collectionOf({ collections, aliases }: Storage, name: string): StoredCollection {
  const found = collections.get(aliases.get(name) ?? name);
  if (!found) throw notFound(name);
  return found;
}

/** Collections, their indexes, aliases and snapshots. */
export class CollectionRoutes {
  private readonly snapshots = new Map<string, Snapshot[]>();

  readonly routes: readonly Route[] = [
    ['GET', /^\/collections$/, () => ({ collections: [...this.storage.collections.keys()].map((name) => ({ name })) })],
    ['GET', /^\/aliases$/, () => ({ aliases: this.aliases() })],
    ['GET', /^\/collections\/([^/]+)\/aliases$/, ({ names }) => ({ aliases: this.aliases(names[0]) })],
    ['POST', /^\/collections\/aliases$/, ({ body }) => this.changeAliases(body.actions as AliasAction[])],
    ['GET', /^\/collections\/([^/]+)\/exists$/, ({ names }) => ({ exists: this.exists(names[0]!) })],
    ['GET', /^\/collections\/([^/]+)$/, ({ names }) => collectionOf(this.storage, names[0]!).describe()],
    ['PUT', /^\/collections\/([^/]+)$/, (call) => this.create(call)],
    ['DELETE', /^\/collections\/([^/]+)$/, ({ names }) => this.drop(names[0]!)],
    ['PUT', /^\/collections\/([^/]+)\/index$/, (call) => this.createIndex(call)],
    ['POST', /^\/collections\/([^/]+)\/snapshots$/, ({ names }) => this.takeSnapshot(names[0]!)],
    ['GET', /^\/collections\/([^/]+)\/snapshots$/, ({ names }) => this.snapshots.get(names[0]!) ?? []],
  ];

  constructor(private readonly storage: Storage) {}

  private exists(name: string): boolean {
    return this.storage.collections.has(this.storage.aliases.get(name) ?? name);
  }

  private create({ names, body, text }: Call): true {
    const name = names[0]!;
    const parameters = readParameters(body, text);
    if (this.storage.collections.has(name)) throw wrongInput(`Collection \`${name}\` already exists!`, 409);
    if (this.storage.aliases.has(name)) {
      throw wrongInput(`Can't create collection with name ${name}. Alias with the same name already exists`);
    }
    this.storage.collections.set(name, new StoredCollection(parameters, this.storage.firstOfEquals));
    return true;
  }

  private drop(name: string): boolean {
    for (const [alias, collection] of this.storage.aliases) if (collection === name) this.storage.aliases.delete(alias);
    return this.storage.collections.delete(name);
  }

  private createIndex({ names, body, text }: Call): object {
    const { field_name: field, field_schema: schema } = body;
    const type = typeof schema === 'string' ? schema : (schema as { type?: unknown } | undefined)?.type;
    if (!fieldTypes.includes(String(type))) {
      throw badFormat('data did not match any variant of untagged enum PayloadFieldSchema', text);
    }
    return collectionOf(this.storage, names[0]!).createIndex(String(field), schema);
  }

  private aliases(collection?: string): object[] {
    const all = [...this.storage.aliases].map(([alias_name, collection_name]) => ({ alias_name, collection_name }));
    return all.filter(({ collection_name: name }) => collection === undefined || name === collection);
  }

  /** All or none: what one action refuses undoes those before it. */
  private changeAliases(actions: readonly AliasAction[]): true {
    const changed = new Map(this.storage.aliases);
    for (const action of actions) {
      if ('delete_alias' in action) {
        changed.delete(action.delete_alias.alias_name);
        continue;
      }
      const { collection_name: collection, alias_name: alias } = action.create_alias;
      if (!this.storage.collections.has(collection)) throw notFound(collection);
      changed.set(alias, collection);
    }
    this.storage.aliases.clear();
    for (const [alias, collection] of changed) this.storage.aliases.set(alias, collection);
    return true;
  }

  private takeSnapshot(name: string): Snapshot {
    collectionOf(this.storage, name);
    const time = new Date().toISOString().slice(0, 19);
    const taken = `${name}-1-${time.replaceAll(':', '-').replace('T', '-')}.snapshot`;
    const snapshot = {
      name: taken,
      creation_time: time,
      size: 682_496,
      checksum: createHash('sha256').update(taken).digest('hex'),
    };
    this.snapshots.set(name, [...(this.snapshots.get(name) ?? []), snapshot]);
    return snapshot;
  }
}
