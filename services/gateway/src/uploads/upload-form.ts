import type { MultipartFile } from '@fastify/multipart';
import { RagmeshError } from '@ragmesh/errors';
import type { FastifyRequest } from 'fastify';
import { MOST_FILES, formFields, type FormFields } from '../api/document.schema.js';
import { MAX_FIELD_DEPTH, fieldTooDeep } from '../http/json-body.js';
import { isValueDeeperThan } from '../http/json-scan.js';
import { refuseUnstorable } from '../http/storable-values.js';
import { validate } from '../http/validation.js';

const limits = { files: MOST_FILES, fields: 20, fieldSize: 64 * 1024, fieldNameSize: 100, headerPairs: 20 } as const;

/** Takes one file of the form and resolves when it has read it to its end. */
export type FileSink = (fields: FormFields, file: MultipartFile) => Promise<void>;

/**
 * Reads a multipart upload as it arrives. Fields stand before files, so that a file's bytes can move on while they come in.
 * A failure leaves what is unread to be discarded, so that the client can still read the answer.
 * @throws RagmeshError REQUEST.INVALID or REQUEST.TOO_DEEP with the field named, REQUEST.MALFORMED, REQUEST.TOO_LARGE, or what `sink` throws.
 */
export async function readUploadForm(request: FastifyRequest, maxFileBytes: number, sink: FileSink): Promise<void> {
  try {
    await readParts(request, maxFileBytes, sink);
  } catch (error) {
    request.raw.unpipe();
    request.raw.resume();
    throw isParserError(error)
      ? new RagmeshError('REQUEST.MALFORMED', 'The body is not well-formed multipart data.')
      : (tooMany(error) ?? error);
  }
}

/** The multipart parser throws plain errors and tells them apart by their sentence only. */
const isParserError = (error: unknown): boolean =>
  error instanceof Error &&
  error.name === 'Error' &&
  /multipart|part header|part terminated|boundary/i.test(error.message);

/** What the parser's refusal of one part too many says to the client; undefined for any other failure. */
function tooMany(error: unknown): RagmeshError | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  if (code === 'FST_FILES_LIMIT') {
    const message = `Field file may be given at most ${limits.files} times: send the other files in a form of their own.`;
    return new RagmeshError('REQUEST.TOO_LARGE', message, { field: 'file', limit: limits.files });
  }
  if (code !== 'FST_FIELDS_LIMIT') return undefined;
  const message = `The form may have at most ${limits.fields} fields besides its files.`;
  return new RagmeshError('REQUEST.TOO_LARGE', message, { limit: limits.fields });
}

async function readParts(request: FastifyRequest, maxFileBytes: number, sink: FileSink): Promise<void> {
  const texts: Record<string, string> = {};
  let fields: FormFields | undefined;
  for await (const part of request.parts({ limits: { ...limits, fileSize: maxFileBytes + 1 } })) {
    if (part.type === 'file') {
      fields ??= readFields(texts);
      await sink(fields, part);
    } else {
      const { fieldname: field, value, valueTruncated } = part;
      if (field === 'file') throw notAFile();
      if (fields) throw misplaced(field);
      if (valueTruncated) throw fieldTooLong(field);
      if (field in texts)
        throw new RagmeshError('REQUEST.INVALID', `Field ${field} is given more than once.`, { field });
      texts[field] = textOf(value, field);
    }
  }
  if (fields) return;
  readFields(texts);
  throw new RagmeshError('REQUEST.INVALID', 'Field file is required: the form holds no file.', { field: 'file' });
}

/** A part that says it is JSON comes parsed. @throws RagmeshError REQUEST.TOO_DEEP before anything recurses into it, REQUEST.INVALID. */
function textOf(value: unknown, field: string): string {
  if (typeof value === 'string') return value;
  if (isValueDeeperThan(value, MAX_FIELD_DEPTH)) throw fieldTooDeep(field);
  refuseUnstorable(value, field);
  return JSON.stringify(value);
}

function readFields(texts: Readonly<Record<string, string>>): FormFields {
  refuseUnstorable(texts);
  return validate(formFields, texts);
}

const notAFile = (): RagmeshError =>
  new RagmeshError('REQUEST.INVALID', 'Field file holds text, not a file: with curl, send it as -F file=@name.', {
    field: 'file',
  });

const misplaced = (field: string): RagmeshError =>
  new RagmeshError('REQUEST.INVALID', `Field ${field} must stand before the files of the form.`, { field });

const fieldTooLong = (field: string): RagmeshError =>
  new RagmeshError('REQUEST.INVALID', `Field ${field} must be at most ${limits.fieldSize} bytes.`, {
    field,
    limit: limits.fieldSize,
  });
