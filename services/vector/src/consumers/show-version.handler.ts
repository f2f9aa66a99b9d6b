import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { catalogue, type eventsV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { HandlesEvent, ack, type Delivery, type HandlerResult, type Message } from '@ragmesh/messaging';
import type { SqlTransaction } from '@ragmesh/postgres';
import { AccessRepository } from '../adapters/access.repository.js';
import { DocumentIndexRepository, isDead, type DocumentState } from '../adapters/document-index.repository.js';
import { GenerationRepository } from '../adapters/generation.repository.js';
import { PointRepository, type DocumentPoints, type PointsByVersion } from '../adapters/point.repository.js';
import { VectorStore, type Scope, type StoreChanges } from '../adapters/vector-store.js';

/** No document has points of a version below it. */
const FIRST_VERSION = 1;
const nothing: PointsByVersion = new Map();

/** Makes a version of a document the one readers see, and removes older ones. */
@Controller()
export class ShowVersion {
  constructor(
    private readonly documents: DocumentIndexRepository,
    private readonly points: PointRepository,
    private readonly store: VectorStore,
    private readonly generations: GenerationRepository,
    private readonly access: AccessRepository,
  ) {}

  /** Redelivery is safe: showing the shown version changes nothing, and one that is older or dead only gets its answer. */
  @HandlesEvent(catalogue.showVersion, { id: 'vector.show-version', deadlineSeconds: 60 })
  async handle(
    @Payload() { payload, tenant }: Message<eventsV1.ShowVersion>,
    @Ctx() delivery: Delivery,
  ): Promise<HandlerResult> {
    const { documentId } = payload;
    const version = Number(payload.version);
    const set: { list?: Scope } = {};
    const result = await this.store.following({ tenant, documentId }, (changes) =>
      delivery.commit(async (tx, publish) => {
        this.generations.keepLive(tx, { tenant, collection: payload.collection });
        const state = await this.documents.lock(tx, { tenant, documentId }, payload.collection);
        const { collection, visibleVersion, generation } = state;
        const document = { tenant, documentId, collection };
        const expected = expectedIn(generation, payload);
        const isPassedOver = version < (visibleVersion ?? 0);
        if (isPassedOver || (await this.isGone(tx, { ...document, version }, state, expected.points))) {
          // Answered all the same: whoever asked would ask for ever.
          const answer = { documentId, version: payload.version, collection };
          if (isPassedOver) publish(catalogue.vectorUpdated, documentId, answer);
          else publish(catalogue.vectorDeleted, documentId, answer);
          return ack();
        }
        // Both in one turn: what is removed too early comes back with the transaction that an incomplete version ends.
        const [actual, removed] = await Promise.all([
          this.points.count(tx, document, { exactly: version }, generation),
          version > FIRST_VERSION ? this.points.remove(tx, document, { below: version }) : nothing,
        ]);
        // What readers see is not refused: of a generation made since it was written it has as many points as that cut it into.
        if (actual !== expected.points && version !== visibleVersion)
          throw incomplete({ documentId, version, actual }, expected);
        // The store before the rows: until these are committed it shows both, and readers the one the rows name.
        const older = [...removed.keys()];
        // A version is never seen by more than may read it: the command brings the list it was accepted with.
        if (await this.tag(tx, changes, { ...document, ...state }, payload.access)) set.list = document;
        await changes.show(tx, { ...document, version, generation, points: actual, older });
        this.documents.show(tx, document, version);
        publish(catalogue.vectorUpdated, documentId, {
          documentId,
          version: payload.version,
          collection,
          pointsVisible: BigInt(actual),
          pointsRemoved: BigInt([...removed.values()].reduce((sum, points) => sum + points, 0)),
        });
        return ack();
      }),
    );
    // Else who asked before could be told that the collection has no lists, and kept results would be everybody's.
    if (set.list) await this.access.settled(set.list);
    return result;
  }

  /** A version that is older than an undone one, and complete, is none the worse for that: nobody called it off. */
  private async isGone(
    tx: SqlTransaction,
    { version, ...document }: DocumentPoints & { readonly version: number },
    state: DocumentState,
    expected: number,
  ): Promise<boolean> {
    if (!isDead(version, state)) return false;
    if (state.tombstoned) return true;
    return (await this.points.count(tx, document, { exactly: version }, state.generation)) !== expected;
  }

  /** @returns whether a list was set. */
  private async tag(
    tx: SqlTransaction,
    changes: StoreChanges,
    document: DocumentPoints & DocumentState,
    told: eventsV1.Access | undefined,
  ): Promise<boolean> {
    const revision = Number(told?.revision ?? 0n);
    if (!told || revision <= document.accessRevision) return false;
    const access = told.restricted ? told.principals : null;
    if (!(await this.access.setDocument(tx, document, { access, revision }))) return false;
    await changes.tag(tx, document, access);
    return true;
  }
}

interface Expected {
  readonly points: number;
  /** Written beside what readers saw when the version was cut: its points may still be on their way. */
  readonly isOnItsWay: boolean;
}

function expectedIn(generation: number, { expectedPoints, generations }: eventsV1.ShowVersion): Expected {
  const at = generations.findIndex((one) => one.generation === generation);
  return { points: Number(generations[at]?.points ?? expectedPoints), isOnItsWay: at > 0 };
}

function incomplete(
  details: { documentId: string; version: number; actual: number },
  { points: expected, isOnItsWay }: Expected,
): RagmeshError {
  const message = `The version has ${details.actual} points instead of ${expected}; readers keep what they see.`;
  return new RagmeshError(isOnItsWay ? 'VECTOR.UNAVAILABLE' : 'EVENT.INVALID', message, { ...details, expected });
}
