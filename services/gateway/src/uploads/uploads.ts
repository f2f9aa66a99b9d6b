import { createHash } from 'node:crypto';
import type { MultipartFile } from '@fastify/multipart';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG } from '@ragmesh/bootstrap';
import type { documentV1 } from '@ragmesh/contracts';
import { RagmeshError, asRagmeshError } from '@ragmesh/errors';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { Calls } from '../api/calls.js';
import { acceptedBody } from '../api/document.mapper.js';
import { jsonUpload, type JsonUpload, type acceptedDocuments } from '../api/document.schema.js';
import type { GatewayConfig } from '../gateway.config.js';
import { refuseUnstorable } from '../http/storable-values.js';
import { validate } from '../http/validation.js';
import { FileUpload } from './file-upload.js';
import { RequestFingerprint } from './request-fingerprint.js';
import { fileHeader, jsonContent, messagesOf, refuseTooLarge, type Target } from './upload-content.js';
import { readUploadForm } from './upload-form.js';
import { UrlUploads } from './url-uploads.js';

export interface Uploaded {
  readonly body: z.input<typeof acceptedDocuments>;
  readonly fingerprint: Buffer;
}

/** Passes uploads on to the document service, as they come. */
@Injectable()
export class Uploads {
  constructor(
    private readonly calls: Calls,
    private readonly urls: UrlUploads,
    @Inject(CONFIG) private readonly config: GatewayConfig,
  ) {}

  /** @throws RagmeshError for a request at fault, before anything is stored; else as the document service does. */
  async accept(request: FastifyRequest, reply: FastifyReply, target: Target): Promise<Uploaded> {
    return request.isMultipart() ? this.acceptForm(request, reply, target) : this.acceptJson(request, reply, target);
  }

  /** What tells this request from another, without uploading anything. Reads the body. */
  async fingerprint(request: FastifyRequest): Promise<Buffer> {
    const fingerprint = new RequestFingerprint(request);
    if (!request.isMultipart()) return fingerprint.addJson(request.body).digest();
    await readUploadForm(request, this.config.DOCUMENT_MAX_BYTES, async (fields, part) => {
      const name = fileNameOf(part);
      const hash = createHash('sha256');
      for await (const piece of part.file as AsyncIterable<Buffer>) hash.update(piece);
      fingerprint.addFile(fields, name, hash.digest());
    });
    return fingerprint.digest();
  }

  private async acceptJson(request: FastifyRequest, reply: FastifyReply, target: Target): Promise<Uploaded> {
    const upload = validate(jsonUpload, request.body);
    refuseOtherId(upload.id, target);
    const { url } = upload;
    const accepted = await (url === undefined
      ? this.sendContent(upload, target)
      : this.urls.accept({ ...upload, url }, target, reply));
    return {
      body: acceptedBody(accepted),
      fingerprint: new RequestFingerprint(request).addJson(request.body).digest(),
    };
  }

  private sendContent(upload: JsonUpload, target: Target): Promise<documentV1.UploadResponse> {
    const content = jsonContent(upload, target);
    refuseTooLarge(content.bytes.length, this.config.DOCUMENT_MAX_BYTES, upload.text === undefined ? 'chunks' : 'text');
    return this.calls.documents.upload(messagesOf(content), this.calls.write());
  }

  private async acceptForm(request: FastifyRequest, reply: FastifyReply, target: Target): Promise<Uploaded> {
    const commit = Promise.withResolvers<void>();
    commit.promise.catch(() => undefined);
    const fingerprint = new RequestFingerprint(request);
    const uploads: FileUpload[] = [];
    try {
      await readUploadForm(request, this.config.DOCUMENT_MAX_BYTES, async (fields, part) => {
        refuseOtherId(fields.id, target);
        const name = fileNameOf(part);
        if (uploads.length > 0) refuseSharedNames({ id: target.id ?? fields.id, title: fields.title });
        const upload = this.begin(part, fileHeader(fields, target, name), reply, commit.promise);
        uploads.push(upload);
        await upload.sent();
        fingerprint.addFile(fields, name, upload.digest());
      });
      commit.resolve();
    } catch (error) {
      commit.reject(error);
      throw error;
    }
    return { body: await answerOf(uploads), fingerprint: fingerprint.digest() };
  }

  private begin(
    part: MultipartFile,
    header: ReturnType<typeof fileHeader>,
    reply: FastifyReply,
    commit: Promise<void>,
  ): FileUpload {
    const source = { header, bytes: part.file, field: part.fieldname, maxBytes: this.config.DOCUMENT_MAX_BYTES };
    const { deadlineMs } = this.calls.stream(reply);
    return new FileUpload(source, commit, (messages) => this.calls.documents.upload(messages, { deadlineMs }));
  }
}

/**
 * The name a file came with, empty where it has none: a part may be a file by its media type alone.
 * @throws RagmeshError REQUEST.INVALID that names the field, for a name that cannot be stored.
 */
function fileNameOf({ filename, fieldname }: MultipartFile): string {
  const name = (filename as string | undefined) ?? '';
  refuseUnstorable(name, fieldname);
  return name;
}

function refuseOtherId(id: string | undefined, target: Target): void {
  if (!target.replace || id === undefined || id === target.id) return;
  throw new RagmeshError('REQUEST.INVALID', 'Field id must be absent, or the id in the path.', { field: 'id' });
}

function refuseSharedNames(names: Readonly<Record<'id' | 'title', string | undefined>>): void {
  for (const [field, value] of Object.entries(names)) {
    if (value === undefined) continue;
    throw new RagmeshError('REQUEST.INVALID', `Field ${field} names one document, so the form must hold one file.`, {
      field,
      limit: 1,
    });
  }
}

/** One file answers like a JSON upload; of several, each has its own outcome, unless all failed. */
async function answerOf(uploads: readonly FileUpload[]): Promise<z.input<typeof acceptedDocuments>> {
  const outcomes = await Promise.allSettled(uploads.map(({ accepted }) => accepted));
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failure && outcomes.every(({ status }) => status === 'rejected')) throw failure.reason;
  const documents = outcomes.map((outcome, index) => {
    if (outcome.status === 'fulfilled') return acceptedBody(outcome.value);
    const { code, message, spec } = asRagmeshError(outcome.reason);
    return {
      file_name: uploads[index]!.fileName,
      error: { code, message, help: spec.help, retryable: spec.retry === 'transient' },
    };
  });
  const [only] = outcomes;
  return outcomes.length === 1 && only?.status === 'fulfilled' ? acceptedBody(only.value) : { documents };
}
