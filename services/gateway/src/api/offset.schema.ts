import { z } from 'zod';

/** Python that cuts the text between two offsets out of the whole. */
export const PYTHON_SLICE = "text.encode('utf-16-le')[2*start:2*end].decode('utf-16-le')";

const counted = `in UTF-16 code units, as JavaScript and Java count; in Python: ${PYTHON_SLICE}`;

/** Offsets into the canonical text of a document, which `GET /v1/documents/{id}/content?as=text` gives. */
export const startOffset = z.int().describe(`Where it begins in the text of the document, ${counted}`);
export const endOffset = z.int().describe(`Behind its last character in the text of the document, ${counted}`);
