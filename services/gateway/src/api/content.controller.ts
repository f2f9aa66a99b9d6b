import { Readable } from 'node:stream';
import { Controller, Get, Headers, Param, Query, Res } from '@nestjs/common';
import type { documentV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { noBytes } from '../http/no-bytes.js';
import { scopeOf } from '../http/request-scope.js';
import { valid } from '../http/validation.js';
import { Describe } from '../openapi/describe.js';
import { Calls } from './calls.js';
import { attachment } from './content-disposition.js';
import { contentHeaders, contentQuery } from './document.schema.js';
import { idSchema } from './paging.schema.js';

type Content = AsyncIterator<documentV1.GetContentResponse>;

/** The bytes of a document. They are a stranger's: always a download, never a page of this origin. */
@Controller('v1/documents')
export class ContentController {
  constructor(private readonly calls: Calls) {}

  @Get(':id/content')
  @Describe({
    summary: 'Download the uploaded bytes, or the text that offsets refer to',
    tag: 'Documents',
    query: contentQuery,
    headers: contentHeaders,
    answers: [
      { status: 200, description: 'The content, in the type it was uploaded as', type: '*/*' },
      { status: 304, description: 'It still has the `ETag` that `If-None-Match` names' },
    ],
    problems: ['DOCUMENT.NOT_FOUND', 'DOCUMENT.NOT_READY', 'DOCUMENT.FAILED', 'BLOB.NOT_FOUND', 'BLOB.CORRUPT'],
  })
  async content(
    @Param('id', valid(idSchema)) id: string,
    @Query(valid(contentQuery)) query: z.output<typeof contentQuery>,
    @Headers('if-none-match') known: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    scopeOf(reply).slot.becomeStream();
    const asText = query.as === 'text';
    const content = this.calls.documents.getContent({ id, asText }, this.calls.stream(reply))[Symbol.asyncIterator]();
    const first = await content.next(); // a failure up to here is a problem answer
    if (first.done) throw new RagmeshError('INTERNAL.UNEXPECTED', 'The content came without its description.');
    const { mediaType, fileName, sizeBytes, sha256 } = first.value;
    if (sha256 !== '') void reply.header('etag', `"${sha256}"`);
    if (sha256 !== '' && names(known, sha256)) {
      await content.return?.();
      return reply.status(304).send();
    }
    void reply.header('content-type', asText ? 'text/plain; charset=utf-8' : mediaType || 'application/octet-stream');
    if (!asText) void reply.header('content-disposition', attachment(fileName || id));
    if (!asText && sizeBytes > 0n) void reply.header('content-length', String(sizeBytes));
    if (reply.request.method === 'HEAD') {
      await content.return?.(); // nobody takes the rest
      return reply.send(noBytes());
    }
    await reply.send(Readable.from(bytesOf(first.value, content), { objectMode: false }));
  }
}

/** Whether an `If-None-Match` names what is there (RFC 9110, 13.1.2: weakly compared). */
const names = (known: string | undefined, tag: string): boolean =>
  (known ?? '').split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === `"${tag}"`);

async function* bytesOf(first: documentV1.GetContentResponse, rest: Content): AsyncGenerator<Uint8Array> {
  try {
    if (first.data.length > 0) yield first.data;
    for (let next = await rest.next(); !next.done; next = await rest.next()) {
      if (next.value.data.length > 0) yield next.value.data;
    }
  } finally {
    await rest.return?.();
  }
}
