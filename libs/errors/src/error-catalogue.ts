/** What a failure means to its caller. `help` says what to do next, in one sentence. */
export interface ErrorSpec {
  readonly status: number;
  readonly retry: 'transient' | 'permanent';
  readonly title: string;
  readonly help: string;
}

const permanent = (status: number, title: string, help: string): ErrorSpec => ({
  status,
  retry: 'permanent',
  title,
  help,
});
const transient = (status: number, title: string, help: string): ErrorSpec => ({
  status,
  retry: 'transient',
  title,
  help,
});

/** Every code ragmesh can answer with, the only place where its status and advice are written down; a table, so one line each. */
// prettier-ignore
export const errorCatalogue = {
  'REQUEST.INVALID': permanent(422, 'Invalid request', 'Correct the named field and send the request again.'),
  'REQUEST.MALFORMED': permanent(400, 'Malformed request', 'Send well-formed JSON or multipart data in UTF-8.'),
  'REQUEST.TOO_LARGE': permanent(413, 'Request too large', 'Send a smaller body, or split it into several requests.'),
  'REQUEST.TOO_DEEP': permanent(422, 'Request nested too deeply', 'Flatten the JSON body below the named depth.'),
  'REQUEST.UNSUPPORTED_MEDIA_TYPE': permanent(415, 'Unsupported content type', 'Use application/json or multipart/form-data.'),
  'REQUEST.NOT_FOUND': permanent(404, 'No such route', 'See /docs for the routes of this server.'),
  'REQUEST.METHOD_NOT_ALLOWED': permanent(405, 'Method not allowed', 'See /docs for the methods of this route.'),
  'REQUEST.CANCELLED': permanent(499, 'Request cancelled', 'The caller went away before the answer was ready.'),
  'REQUEST.TIMEOUT': transient(504, 'Deadline exceeded', 'Try again; if it persists, look at the stage timings.'),
  'REQUEST.NOT_IMPLEMENTED': permanent(501, 'Not implemented', 'See /docs for what this version supports.'),
  'FILTER.UNKNOWN_OPERATOR': permanent(422, 'Unknown filter operator', 'Use $eq $ne $in $nin $gt $gte $lt $lte $and $or $not $exists.'),
  'FILTER.INVALID': permanent(422, 'Invalid filter', 'Correct the named part of the filter.'),
  'IDEMPOTENCY.KEY_REUSED': permanent(422, 'Idempotency key reused', 'Use a new Idempotency-Key for a different request.'),
  'IDEMPOTENCY.IN_PROGRESS': transient(409, 'Same request in progress', 'Wait for the first request with this key, then repeat.'),
  'DOCUMENT.NOT_FOUND': permanent(404, 'No such document', 'Check the id; a deleted document cannot be read again.'),
  'DOCUMENT.TOO_LARGE': permanent(413, 'Document too large', 'Split the file, or raise DOCUMENT_MAX_BYTES.'),
  'DOCUMENT.ID_TAKEN': permanent(409, 'Document id already in use', 'Use PUT to replace the document, or choose another id.'),
  'DOCUMENT.NOT_READY': transient(409, 'Document not ready', 'Wait until the document is ready, then repeat.'),
  'DOCUMENT.DELETING': permanent(409, 'Document is being deleted', 'Wait for the deletion, then upload under a new id.'),
  'DOCUMENT.NOT_FAILED': permanent(409, 'Document has not failed', 'Only a failed document can be retried.'),
  'DOCUMENT.NOT_CANCELLABLE': permanent(409, 'Nothing to cancel', 'Only a document that is being processed can be cancelled.'),
  'DOCUMENT.EMPTY': permanent(422, 'Empty document', 'Upload a file that has content.'),
  'DOCUMENT.ENCRYPTED': permanent(422, 'Encrypted document', 'Remove the password protection and upload the file again.'),
  'DOCUMENT.CORRUPT': permanent(422, 'Damaged document', 'Open the file in its program, save it anew and upload it again.'),
  'DOCUMENT.NO_TEXT': permanent(422, 'No text in the document', 'Run text recognition (OCR) over the scan and upload the result.'),
  'DOCUMENT.UNSUPPORTED': permanent(415, 'Unsupported file type', 'Upload PDF, DOCX, PPTX, XLSX, HTML, Markdown, text, CSV or JSON.'),
  'DOCUMENT.LIMIT_EXCEEDED': permanent(422, 'Document exceeds a limit', 'Split the document below the named limit.'),
  'DOCUMENT.PARSE_TIMEOUT': permanent(422, 'Document takes too long to read', 'Split the document, or raise PARSE_TIMEOUT_SECONDS.'),
  'DOCUMENT.PARSER_CRASHED': transient(500, 'Reading the document failed', 'Retry the document; if it fails again, report the file.'),
  'DOCUMENT.CANCELLED': permanent(409, 'Ingestion cancelled', 'Retry the document to ingest it after all.'),
  'DOCUMENT.DEADLINE_EXCEEDED': transient(504, 'Ingestion took too long', 'Retry the document; what was finished is reused.'),
  'COLLECTION.NOT_FOUND': permanent(404, 'No such collection', 'Check the id, or create the collection first.'),
  'COLLECTION.ID_TAKEN': permanent(409, 'Collection id already in use', 'Choose another id.'),
  'COLLECTION.NOT_EMPTY': permanent(409, 'Collection not empty', 'Delete its documents first.'),
  'OPERATION.NOT_FOUND': permanent(404, 'No such operation', 'Check the id of the operation.'),
  'CONVERSATION.NOT_FOUND': permanent(404, 'No such conversation', 'Check the id of the conversation.'),
  'STORAGE.FULL': transient(507, 'Storage full', 'Free disk space on the server; nothing of this request was kept.'),
  'STORAGE.UNAVAILABLE': transient(503, 'Storage unavailable', 'Try again shortly.'),
  'STORAGE.REFUSED': permanent(500, 'Storage refused access', 'Check the bucket, the region and the credentials of the object store.'),
  'STORAGE.MIGRATION_FAILED': permanent(500, 'Database migration failed', 'Use the release that wrote this database, or repair the named migration.'),
  'BLOB.NOT_FOUND': permanent(404, 'Content not found', 'The stored content is gone; upload the document again.'),
  'BLOB.CORRUPT': permanent(500, 'Stored content damaged', 'Restore the blob from a backup, or upload the document again.'),
  'EMBEDDING.UNAVAILABLE': transient(503, 'Embedding unavailable', 'Try again shortly; lexical search goes on working.'),
  'EMBEDDING.INVALID_VECTOR': permanent(500, 'Model gave an invalid vector', 'Check the model files; the batch was not indexed.'),
  'MODEL.NOT_FOUND': permanent(404, 'No such model', 'List the models at /v1/models.'),
  'MODEL.CORRUPT': permanent(500, 'Model files damaged', 'Restore the model files; their checksum does not match.'),
  'VECTOR.DIMENSION_MISMATCH': permanent(422, 'Wrong vector length', 'Use the embedding model the collection was built with.'),
  'VECTOR.UNAVAILABLE': transient(503, 'Search index unavailable', 'Try again shortly.'),
  'GENERATION.UNAVAILABLE': transient(503, 'Answering unavailable', 'Try again shortly.'),
  'EVENT.UNDECODABLE': permanent(422, 'Event cannot be decoded', 'Inspect the dead letter; the producer sent damaged data.'),
  'EVENT.INVALID': permanent(422, 'Event is incomplete', 'Inspect the dead letter; a required field is missing.'),
  'EVENT.VERSION_UNSUPPORTED': permanent(422, 'Event from a newer version', 'Upgrade this service, then replay the dead letter.'),
  'EVENT.CRASHED_PROCESS': permanent(500, 'Event crashed the process', 'Inspect the parked event before replaying it.'),
  'EVENT.EXPIRED': permanent(410, 'Events expired unread', 'Scale the consumer, or raise the retention of the topic.'),
  'EVENT.TOO_LARGE': permanent(413, 'Event too large', 'Lower the batch size; the event exceeds the topic limit.'),
  'DEAD_LETTER.NOT_FOUND': permanent(404, 'No such dead letter', 'Check the id in the list of dead letters.'),
  'DEAD_LETTER.SETTLED': permanent(409, 'Dead letter not parked', 'Only a parked letter can be replayed or discarded; see its status.'),
  'DEAD_LETTER.QUARANTINED': permanent(409, 'Dead letter quarantined', 'Replaying did not help; remove the cause, then retry the document, or discard the letter.'),
  'SAGA.NOT_FOUND': permanent(404, 'No such saga', 'Check the id in the list of sagas.'),
  'SAGA.ENDED': permanent(409, 'Saga has ended', 'Only a saga that runs or is being undone can be resumed or aborted.'),
  'SAGA.NOT_ABORTABLE': permanent(409, 'Saga cannot be aborted', 'There is no way back from its step; resume it instead.'),
  'SAGA.COMPENSATION_FAILED': transient(500, 'Undo failed', 'Resume the saga once its dependency is back.'),
  'OVERLOAD.SHED': transient(503, 'Server busy', 'Wait for the time in Retry-After, then repeat.'),
  'SERVER.STOPPING': transient(503, 'Server stopping', 'Repeat the request; another copy of the server answers it.'),
  'DEPENDENCY.UNAVAILABLE': transient(503, 'A dependency is unavailable', 'Try again shortly.'),
  'CONFIG.INVALID': permanent(500, 'Invalid configuration', 'Correct the named variables and start again.'),
  'CONFIG.DATA_DIR_IN_USE': permanent(500, 'Data folder in use', 'Stop the other ragmesh, or set RAGMESH_DATA_DIR.'),
  'CONFIG.DATA_DIR_UNWRITABLE': permanent(500, 'Data folder not writable', 'Set RAGMESH_DATA_DIR to a folder you own.'),
  'INTERNAL.UNEXPECTED': transient(500, 'Unexpected error', 'Try again; if it persists, report the trace id.'),
} as const satisfies Record<`${string}.${string}`, ErrorSpec>;

/** A stable, documented failure code. */
export type ErrorCode = keyof typeof errorCatalogue;
