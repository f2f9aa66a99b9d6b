import { RagmeshError } from '@ragmesh/errors';
import type { OutgoingRecord } from './bus-driver.js';

/** Largest record unless told otherwise, by {@link recordSize}: what brokers take by default. */
export const MAX_RECORD_BYTES = 1_048_576;

/** Lengths, offset and timestamp deltas of a record and of each header: varints of a few bytes each. */
const RECORD_OVERHEAD = 32;
const HEADER_OVERHEAD = 4;

/**
 * Bytes a record takes on the wire, never too few, whichever bus it is for. Text is counted in UTF-8 only when that decides:
 * measuring every header of every record would cost more than sending it.
 */
export function recordSize(record: OutgoingRecord, limit: number): number {
  let characters = record.key.length;
  let size = RECORD_OVERHEAD + record.value.byteLength;
  for (const name in record.headers) {
    characters += name.length + record.headers[name]!.length;
    size += HEADER_OVERHEAD;
  }
  const most = size + 3 * characters; // a UTF-16 unit is at most three bytes of UTF-8
  return most <= limit ? most : size + exactText(record);
}

/** What is answered for a record that no bus with this limit takes. */
export function tooLarge({ topic }: OutgoingRecord, bytes: number, limit: number): RagmeshError {
  const text = `A record of ${bytes} bytes for topic ${topic} exceeds the limit of ${limit} bytes.`;
  return new RagmeshError('EVENT.TOO_LARGE', text, { topic, bytes, limit });
}

function exactText({ key, headers }: OutgoingRecord): number {
  return Object.entries(headers).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value),
    Buffer.byteLength(key),
  );
}
