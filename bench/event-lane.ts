import { randomBytes } from 'node:crypto';

const RECORDS = 40_000;
const BYTES = 1_000;

/** Records sent at a time. */
export const BATCH = 500;
export const PARTITIONS = 6;

/** One way for records from a sender to a receiver. */
export interface Lane {
  /** Sends one batch. @param from number of its first record. */
  send(from: number): Promise<unknown>;
  /** Resolves when all records have arrived. */
  readonly arrived: Promise<unknown>;
}

export const keyOf = (number: number): string => `document-${number % 997}`;
export const payload = randomBytes(BYTES);

/** Records per second from the first send to the last arrival; two batches are always on their way. */
export async function measure({ send, arrived }: Lane): Promise<number> {
  const begin = performance.now();
  let next = 0;
  const sender = async (): Promise<void> => {
    while (next < RECORDS) {
      const from = next;
      next += BATCH;
      await send(from);
    }
  };
  await Promise.all([sender(), sender(), arrived]);
  return (RECORDS / (performance.now() - begin)) * 1000;
}

/** A countdown of records and the promise that it has ended. */
export function countdown(): { arrived: Promise<void>; count(records: number): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  let left = RECORDS;
  return {
    arrived: promise,
    count: (records) => {
      left -= records;
      if (left <= 0) resolve();
    },
  };
}
