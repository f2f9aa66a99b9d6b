/** A message says a number of one digit in eleven bytes, JSON in two characters; nothing takes more for what it is. */
const BYTES_PER_CHARACTER = 6;

/** What metadata takes in an event or in the answer to a call (google.protobuf.Struct), at most. */
export const metadataBytes = (metadata: object): number => BYTES_PER_CHARACTER * JSON.stringify(metadata).length;
