import { Injectable } from '@nestjs/common';
import { documentV1 } from '@ragmesh/contracts';
import { RagmeshError, asRagmeshError, errorCatalogue, type ErrorCode } from '@ragmesh/errors';
import { Deadline } from '@ragmesh/resilience';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { Calls } from '../api/calls.js';
import { scopeOf } from '../http/request-scope.js';
import { messagesOf } from '../uploads/upload-content.js';
import { overlapOf, type IndexDocument, type IndexInput, type indexAnswer } from './index.schema.js';

/** Documents on their way at once: enough to keep the mesh busy, few enough to leave room for others. */
const AT_ONCE = 16;
/** Longest single wait for a document; the document service allows no more. */
const WAIT_SECONDS = 60;
/** What is left of the time for the answer itself. */
const RESERVE_MS = 1_000;

type Answer = z.input<typeof indexAnswer>;

interface Outcome {
  readonly id: string | null;
  readonly chunks: number;
  readonly state: 'indexed' | 'failed' | 'pending';
  readonly error?: RagmeshError;
}

/** Uploads texts and waits until each can be searched, or never will be. */
@Injectable()
export class IndexDocuments {
  constructor(private readonly calls: Calls) {}

  /** @throws RagmeshError of the first document when every single one was refused or failed. */
  async run(input: IndexInput, reply: FastifyReply): Promise<Answer> {
    const { signal, deadlineMs } = this.calls.stream(reply);
    const deadline = Deadline.in(deadlineMs! - RESERVE_MS, signal);
    const outcomes: Outcome[] = [];
    const rest = input.documents.entries();
    const work = async (): Promise<void> => {
      for (const [index, document] of rest) outcomes[index] = await this.#index(document, input, reply, deadline);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    const failure = outcomes.find(({ error }) => error)?.error;
    if (failure && outcomes.every(({ state }) => state === 'failed')) throw failure;
    return answerOf(outcomes);
  }

  /** A document is pending only once it was taken: one that was not is worked on by nobody, whatever id its client gave it. */
  async #index(document: IndexDocument, input: IndexInput, reply: FastifyReply, deadline: Deadline): Promise<Outcome> {
    let acceptedId: string | undefined;
    try {
      deadline.throwIfExpired();
      const accepted = await this.calls.documents.upload(messagesOf(uploadOf(document, input)), this.calls.write());
      acceptedId = accepted.id;
      return await this.#settled(acceptedId, reply, deadline);
    } catch (error) {
      if (scopeOf(reply).clientLeft.aborted) throw error;
      const failure = asRagmeshError(error);
      if (acceptedId !== undefined && (deadline.hasExpired || failure.retry === 'transient'))
        return { id: acceptedId, chunks: 0, state: 'pending' };
      return { id: acceptedId ?? document.id ?? null, chunks: 0, state: 'failed', error: failure };
    }
  }

  async #settled(id: string, reply: FastifyReply, deadline: Deadline): Promise<Outcome> {
    while (!deadline.hasExpired) {
      const waitSeconds = Math.max(1, Math.min(WAIT_SECONDS, Math.floor(deadline.remainingMs / 1_000)));
      const { status, chunks, error } = await this.calls.documents.getDocument(
        { id, waitSeconds },
        this.calls.unary(reply, waitSeconds),
      );
      if (status === 'ready') return { id, chunks, state: 'indexed' };
      if (status !== 'uploaded' && status !== 'processing')
        return { id, chunks: 0, state: 'failed', error: errorOf(error) };
    }
    return { id, chunks: 0, state: 'pending' };
  }
}

const uploadOf = ({ id = '', text, metadata }: IndexDocument, input: IndexInput) => ({
  header: {
    id,
    replace: id !== '',
    collection: input.collection,
    metadata: metadata ?? undefined,
    chunkSize: input.chunk_size,
    chunkOverlap: overlapOf(input),
    kind: documentV1.UploadKind.TEXT,
  },
  bytes: Buffer.from(text),
});

/** Why a document failed, in the words of the service that gave it up. */
function errorOf(error: documentV1.DocumentError | undefined): RagmeshError {
  if (error && error.code in errorCatalogue) return new RagmeshError(error.code as ErrorCode, error.message);
  return new RagmeshError('DOCUMENT.CANCELLED', 'The document is being deleted, or its ingestion was cancelled.');
}

/** Equal texts without an id are one document, whose chunks are there once. */
const sumOf = (chunksById: ReadonlyMap<string | null, number>): number =>
  [...chunksById.values()].reduce((sum, chunks) => sum + chunks, 0);

function answerOf(outcomes: readonly Outcome[]): Answer {
  const count = (state: Outcome['state']): number => outcomes.filter((outcome) => outcome.state === state).length;
  return {
    indexed: count('indexed'),
    failed: count('failed'),
    pending: count('pending'),
    chunks: sumOf(new Map(outcomes.flatMap(({ id, chunks, state }) => (state === 'indexed' ? [[id, chunks]] : [])))),
    ids: outcomes.map(({ id, state }) => (state === 'failed' ? null : id)),
    errors: outcomes.flatMap(({ id, error }, index) =>
      error ? [{ index, id, code: error.code, message: error.message }] : [],
    ),
  };
}
