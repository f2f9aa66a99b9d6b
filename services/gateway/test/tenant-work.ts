import type { DescService } from '@bufbuild/protobuf';
import { GrpcClients, type GrpcClient } from '@ragmesh/grpc';
import { currentContext, inContext } from '@ragmesh/observability';
import { Database, type SqlTransaction } from '@ragmesh/postgres';
import { FolderBlobStore } from '../../document/src/adapters/folder-blob-store.js';
import { CollectionSettings } from '../../retrieval/src/adapters/collection-settings.js';

/** What is asked of the database by its own rhythm, whatever a request asks. */
const unrelated = /INSERT INTO audit_outcome|quota_override|token_use/;

/**
 * Notes which statements each request has the databases of all services run and how many rows each gives, which services it has
 * called, and which blobs read. Two requests with the same work take the same time, which can be compared without a clock.
 */
export class WorkRecorder {
  readonly #work = new Map<string, string[]>();
  readonly #undo: () => void;

  constructor() {
    const { query, transaction } = Database.prototype;
    const note = (text: string, rows?: number): void => this.#note(text, rows);
    Database.prototype.query = async function <R>(this: Database, text: string, values?: readonly unknown[]) {
      const result = await query.call(this, text, values);
      note(text, result.rowCount);
      return result as { rows: R[]; rowCount: number };
    };
    Database.prototype.transaction = function <T>(this: Database, work: (tx: SqlTransaction) => Promise<T>) {
      return transaction.call(this, (tx) => work(noting(tx, note))) as Promise<T>;
    };
    const { of } = GrpcClients.prototype;
    GrpcClients.prototype.of = function <S extends DescService>(this: GrpcClients, service: S, owner?: string) {
      return notingCalls(of.call(this, service, owner) as GrpcClient<S>, service, note);
    };
    const { read, size, withFile } = FolderBlobStore.prototype;
    for (const [name, method] of Object.entries({ read, size, withFile }))
      Object.assign(FolderBlobStore.prototype, {
        [name](this: FolderBlobStore, ...given: unknown[]) {
          note(`blob ${name}`);
          return (method as (...args: unknown[]) => unknown).apply(this, given);
        },
      });
    const { known, read: readSettings } = CollectionSettings.prototype;
    // What is known of a collection is read again by the clock, whoever asks next: nobody's work.
    CollectionSettings.prototype.known = function (this: CollectionSettings, tenant: string, id: string) {
      return inContext({ ...currentContext()!, requestId: 'nobody' }, () => known.call(this, tenant, id));
    };
    CollectionSettings.prototype.read = function (this: CollectionSettings, tenant: string, id: string) {
      return inContext({ ...currentContext()!, requestId: 'nobody' }, () => readSettings.call(this, tenant, id));
    };
    this.#undo = () => {
      Object.assign(Database.prototype, { query, transaction });
      Object.assign(CollectionSettings.prototype, { known, read: readSettings });
      Object.assign(GrpcClients.prototype, { of });
      Object.assign(FolderBlobStore.prototype, { read, size, withFile });
    };
  }

  /** Of the request with this id, in no particular order. */
  of(requestId: string): string[] {
    return (this.#work.get(requestId) ?? []).toSorted();
  }

  restore(): void {
    this.#undo();
  }

  #note(text: string, rows = 0): void {
    const context = currentContext();
    // Whether a credential still holds is asked once a second, before its tenant is known.
    if (!context || context.tenant === '-' || unrelated.test(text)) return;
    const list = this.#work.get(context.requestId) ?? [];
    this.#work.set(context.requestId, list);
    list.push(`${text.replaceAll(/\s+/g, ' ').trim()} → ${rows}`);
  }
}

function notingCalls<S extends DescService>(client: GrpcClient<S>, service: S, note: (text: string) => void) {
  const calls = Object.entries(client as Record<string, (...given: unknown[]) => unknown>).map(([name, call]) => [
    name,
    (...given: unknown[]) => {
      if (name !== 'close') note(`call ${service.typeName}/${name}`);
      return call(...given);
    },
  ]);
  return Object.fromEntries(calls) as GrpcClient<S>;
}

const noting = (tx: SqlTransaction, note: (text: string, rows?: number) => void): SqlTransaction => ({
  query: async <R>(text: string, values?: readonly unknown[]) => {
    const result = await tx.query<R>(text, values);
    note(text, result.rowCount);
    return result;
  },
  write: (text, values) => {
    note(text);
    tx.write(text, values);
  },
  writeLast: (key, text, values) => {
    note(text);
    tx.writeLast(key, text, values);
  },
});
