import { Injectable } from '@nestjs/common';
import { ack, skip, type HandlerResult } from '@ragmesh/messaging';
import { Database, type SqlTransaction } from '@ragmesh/postgres';
import { AccessRepository, type RevisedAccess } from '../adapters/access.repository.js';
import { DocumentIndexRepository } from '../adapters/document-index.repository.js';
import { VectorStore, type Scope } from '../adapters/vector-store.js';

/** A list of a collection, or with a document's id of that document. */
export interface AccessChange extends Scope, RevisedAccess {
  readonly documentId: string;
}

type Commit = (work: (tx: SqlTransaction) => Promise<HandlerResult>) => Promise<HandlerResult>;

/** Changes who sees a document, or a collection, in searches. Once it is done, no search and no stamp is of before. */
@Injectable()
export class ChangeAccess {
  constructor(
    private readonly database: Database,
    private readonly documents: DocumentIndexRepository,
    private readonly access: AccessRepository,
    private readonly store: VectorStore,
  ) {}

  /** @param commit runs the transaction; whoever needs more in it passes another than the plain one. */
  async run(
    change: AccessChange,
    commit: Commit = (work) => this.database.transaction((tx) => work(tx)),
  ): Promise<HandlerResult> {
    if (change.documentId !== '') return this.#ofDocument(change, commit);
    const result = await this.#ofCollection(change, commit);
    if (result.kind !== 'skip') await this.access.settled(change);
    return result;
  }

  #ofCollection(change: AccessChange, commit: Commit): Promise<HandlerResult> {
    return commit(async (tx) => ((await this.access.setCollection(change, change, tx)) ? ack() : outdated));
  }

  /** Points that are still to come are tagged with what the document's row says; it also says which collection it is in. */
  async #ofDocument(change: AccessChange, commit: Commit): Promise<HandlerResult> {
    const set: { scope?: Scope } = {};
    const result = await this.store.following(change, (changes) =>
      commit(async (tx) => {
        const { collection } = await this.documents.lock(tx, change, change.collection);
        const document = { ...change, collection };
        if (!(await this.access.setDocument(tx, document, change))) return outdated;
        set.scope = document;
        await changes.tag(tx, document, change.access);
        return ack();
      }),
    );
    if (set.scope) await this.access.settled(set.scope);
    return result;
  }
}

const outdated = skip('a newer list is known');
