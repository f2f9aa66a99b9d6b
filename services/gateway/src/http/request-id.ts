import { v7 as uuidv7 } from 'uuid';

const acceptable = /^[\x21-\x7e]{1,128}$/;

/** The id the client gave, when it is printable and at most 128 characters; a new UUIDv7 otherwise. */
export function requestIdFrom(header: string | string[] | undefined): string {
  return typeof header === 'string' && acceptable.test(header) ? header : uuidv7();
}
