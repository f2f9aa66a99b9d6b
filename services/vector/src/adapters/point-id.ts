import { v5 as uuidv5 } from 'uuid';

/** Any constant: it makes our ids differ from other people's UUIDv5. */
const NAMESPACE = '6f1d2c1e-5f0b-4c55-9a3e-0d9a5a7b1c42';

/** Id of a chunk, as results show it. */
export const chunkId = (documentId: string, version: number, ordinal: number): string =>
  `${documentId}:${version}:${ordinal}`;

/** Id of a chunk's point: the same chunk has the same id each time, in no two tenants and no two generations. */
export const pointId = (tenant: string, chunk: string, generation = 0): string =>
  uuidv5(generation === 0 ? `${tenant}/${chunk}` : `${tenant}/${chunk}#${generation}`, NAMESPACE);
