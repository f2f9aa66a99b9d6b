import { DEFAULT_TENANT, tenantPattern } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import type { Failure } from '@ragmesh/messaging';
import { storableText, storableTexts } from '@ragmesh/postgres';

/** Index entries hold at most 2,700 bytes in all, and foreign records may say anything. Names of ours are far shorter. */
const MAX_NAME = 256;

/** The failure in characters the database takes. The bytes of the event stay as they are. */
export function storableFailure({ record, handlerId, attempt, error }: Failure): Failure {
  const { code, message, details } = error;
  return {
    record: { ...record, key: storableText(record.key), headers: storableTexts(record.headers) },
    handlerId,
    attempt,
    error: new RagmeshError(code, storableText(message), details, { cause: error }),
  };
}

/** Whose a record is. One that names nobody whom an operator could ask for is for those of the default tenant to decide. */
export const storableTenant = (name = DEFAULT_TENANT): string => (tenantPattern.test(name) ? name : DEFAULT_TENANT);

/** A name in a length that fits an index. */
export const storableName = (name: string): string => storableText(name.slice(0, MAX_NAME));
