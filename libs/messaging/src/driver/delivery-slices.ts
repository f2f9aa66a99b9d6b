import type { BusRecord } from './bus-driver.js';

/** What is handed over at once, unless one record alone is larger. */
export const DELIVERY_BYTES = 1024 * 1024;
const RECORD_OVERHEAD = 256;

/** Bytes a record keeps in memory while it waits or is worked on: its value, and roughly what comes with it. */
export const heldBytes = ({ value }: Pick<BusRecord, 'value'>): number => value.byteLength + RECORD_OVERHEAD;

/**
 * The records in parts, in their order, so that a consumer can say "enough" in between: none is larger than
 * {@link DELIVERY_BYTES} or has more than `mostRecords`, but each has at least one record.
 */
export function deliverySlices(
  records: readonly BusRecord[],
  mostRecords = Infinity,
): { records: readonly BusRecord[]; bytes: number }[] {
  const slices: { records: readonly BusRecord[]; bytes: number }[] = [];
  let [start, bytes] = [0, 0];
  for (const [index, record] of records.entries()) {
    const size = heldBytes(record);
    if (index > start && (bytes + size > DELIVERY_BYTES || index - start >= mostRecords)) {
      slices.push({ records: records.slice(start, index), bytes });
      [start, bytes] = [index, 0];
    }
    bytes += size;
  }
  if (records.length > 0) slices.push({ records: start === 0 ? records : records.slice(start), bytes });
  return slices;
}
