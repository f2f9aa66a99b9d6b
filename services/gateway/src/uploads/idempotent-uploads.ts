import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { uploadHeaders } from '../api/document.schema.js';
import { scopeOf } from '../http/request-scope.js';
import { validate } from '../http/validation.js';
import { IdempotentRequests } from '../idempotency/idempotent-requests.js';
import { Uploads } from './uploads.js';

const ACCEPTED = 202;

/** Uploads of new documents, once under each `Idempotency-Key`. */
@Injectable()
export class IdempotentUploads {
  constructor(
    private readonly uploads: Uploads,
    private readonly idempotent: IdempotentRequests,
  ) {}

  /** Answers the request. @throws RagmeshError as {@link Uploads.accept} and, with a key, {@link IdempotentRequests.run} do. */
  async answer(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { 'idempotency-key': key } = validate(uploadHeaders, request.headers);
    const execute = async (seed?: string) => {
      const { body: response, fingerprint } = await this.uploads.accept(request, reply, { replace: false, seed });
      return { status: ACCEPTED, response, fingerprint };
    };
    const fingerprint = (): Promise<Buffer> => this.uploads.fingerprint(request);
    const { clientLeft, context } = scopeOf(reply);
    const { tenant, subject } = context;
    const { status, response } =
      key === undefined
        ? await execute()
        : await this.idempotent.run({ tenant, subject, key }, { execute, fingerprint, clientLeft });
    await reply.status(status).send(response);
  }
}
