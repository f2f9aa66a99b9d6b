import type { BusRecord, OutgoingRecord } from '../driver/bus-driver.js';

/** A record as bytes. Keys and headers may hold characters a text column refuses, such as NUL. */
export interface FramedRecord {
  readonly source: OutgoingRecord;
  readonly partitionId: number | undefined;
  readonly key: Uint8Array;
  readonly headers: Uint8Array;
  readonly value: Uint8Array;
  readonly size: number;
}

export interface RecordRow extends Record<string, unknown> {
  id: number;
  record_offset: string;
  key: Buffer;
  headers: Buffer;
  value: Buffer;
  written: number;
}

export function frameRecord(source: OutgoingRecord, partitionId: number | undefined): FramedRecord {
  const key = Buffer.from(source.key);
  const headers = Buffer.from(JSON.stringify(source.headers));
  const size = key.byteLength + headers.byteLength + source.value.byteLength;
  return { source, partitionId, key, headers, value: source.value, size };
}

export function recordOfRow(row: RecordRow, topic: string, partition: number): BusRecord {
  return {
    topic,
    partition,
    offset: Number(row.record_offset),
    key: row.key.toString(),
    headers: JSON.parse(row.headers.toString()) as Record<string, string>,
    value: row.value,
    timestamp: Math.floor(row.written),
  };
}
