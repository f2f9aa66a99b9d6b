import { Readable } from 'node:stream';

/** The body of an answer to HEAD. Fastify takes sending nothing for a length of 0, which a GET would not have said. */
export const noBytes = (): Readable => Readable.from([]);
