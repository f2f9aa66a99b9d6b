import { Inject, Injectable } from '@nestjs/common';
import { CONFIG } from '@ragmesh/bootstrap';
import type { documentV1 } from '@ragmesh/contracts';
import { EgressClient, type Fetched } from '@ragmesh/egress';
import { RagmeshError, isRagmeshError } from '@ragmesh/errors';
import { Bulkhead } from '@ragmesh/resilience';
import type { FastifyReply } from 'fastify';
import { Calls } from '../api/calls.js';
import type { JsonUpload } from '../api/document.schema.js';
import type { GatewayConfig } from '../gateway.config.js';
import { scopeOf } from '../http/request-scope.js';
import { FileUpload } from './file-upload.js';
import { remoteFileName } from './remote-file-name.js';
import { fileHeader, tooLarge, type Target } from './upload-content.js';

export type UrlUpload = JsonUpload & { readonly url: string };

const FIELD = 'url';
/** Uploads that may wait for each one whose address is being fetched. */
const WAITING_EACH = 8;
/** One tenant's slow servers leave a quarter of the places to the others. */
const shareOf = (places: number): number => places - Math.floor(places / 4);

/** What a route that takes a `url` can answer besides. */
export const urlProblems = ['EGRESS.REFUSED', 'EGRESS.REJECTED', 'EGRESS.UNAVAILABLE', 'EGRESS.TIMEOUT'] as const;

/** Uploads what an address holds, as if the client had fetched it and sent the file. */
@Injectable()
export class UrlUploads {
  readonly #fetches: Bulkhead;

  constructor(
    private readonly calls: Calls,
    private readonly egress: EgressClient,
    @Inject(CONFIG) private readonly config: GatewayConfig,
  ) {
    const { EGRESS_CONCURRENCY: concurrency } = config;
    const queueLimit = WAITING_EACH * concurrency;
    this.#fetches = new Bulkhead('Uploading by url', {
      concurrency,
      queueLimit,
      perLine: { concurrency: shareOf(concurrency), queueLimit: shareOf(queueLimit) },
      maxWaitMs: config.REQUEST_TIMEOUT_SECONDS * 1000,
    });
  }

  /**
   * Resolves when the document service has all of it. A client that leaves ends it, and nothing is kept.
   * @throws RagmeshError EGRESS.* or DOCUMENT.TOO_LARGE about the field `url`, or as the document service does; OVERLOAD.SHED
   *   when too many wait for their turn, of one tenant or at all, or when it does not come within the time of a request.
   */
  accept(upload: UrlUpload, target: Target, reply: FastifyReply): Promise<documentV1.UploadResponse> {
    const { clientLeft, slot, context } = scopeOf(reply);
    slot.becomeStream(); // it mostly waits for somebody else's server
    return this.#fetches.run(() => this.#fetch(upload, target, reply), clientLeft, context.tenant);
  }

  async #fetch(upload: UrlUpload, target: Target, reply: FastifyReply): Promise<documentV1.UploadResponse> {
    const { clientLeft } = scopeOf(reply);
    const done = new AbortController();
    try {
      const maxBytes = this.config.DOCUMENT_MAX_BYTES;
      const fetched = await this.egress.get(upload.url, {
        maxBytes,
        signal: AbortSignal.any([clientLeft, done.signal]),
      });
      const source = { header: headerOf(upload, target, fetched), bytes: fetched.body, field: FIELD, maxBytes };
      const { deadlineMs } = this.calls.stream(reply);
      const file = new FileUpload(source, Promise.resolve(), (messages) =>
        this.calls.documents.upload(messages, { deadlineMs }),
      );
      await file.sent();
      return await file.accepted;
    } catch (error) {
      throw aboutUrl(error);
    } finally {
      done.abort(); // what the document service did not want to read is not fetched either
    }
  }
}

function headerOf(upload: UrlUpload, target: Target, fetched: Fetched): ReturnType<typeof fileHeader> {
  const metadata = { source_url: upload.url, ...upload.metadata };
  const header = fileHeader({ ...upload, metadata }, target, remoteFileName(fetched));
  return { ...header, fetchedFrom: upload.url };
}

/** Names the field; one limit of documents has one code, however they come in. */
function aboutUrl(error: unknown): unknown {
  if (!isRagmeshError(error)) return error;
  const { code, message, details, cause } = error;
  if (code === 'EGRESS.TOO_LARGE') return tooLarge(Number(details['limit']), FIELD);
  if (!code.startsWith('EGRESS.') && details['field'] !== 'file') return error;
  return new RagmeshError(code, message, { ...details, field: FIELD }, { cause });
}
