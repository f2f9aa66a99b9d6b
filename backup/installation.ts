import type { ServiceName } from '@ragmesh/contracts';
import type { BusPositions } from './bus-positions.js';
import type { BlobsCopy } from './manifest.js';

/** How blobs are read and written, whatever keeps them. */
export interface Blobs {
  readonly in: BlobsCopy['in'] & string;
  /** Says to a person where they are. */
  readonly place: string;
  read(tenant: string, key: string): AsyncIterable<Buffer>;
  /** Keeps what `source` gives. @returns its SHA-256, which is its key. */
  write(tenant: string, source: AsyncIterable<Uint8Array>): Promise<string>;
  /** Whether there is any. */
  isEmpty(): Promise<boolean>;
}

/** One ragmesh, with the places where it keeps things: what a backup is taken of, or restored to. */
export interface Installation {
  /** Services in processes of their own, on servers; else standalone, with everything in one data folder. */
  readonly isMesh: boolean;
  /** Connection string of the database of a service. */
  databaseUrl(service: ServiceName): string;
  readonly blobs: Blobs;
  readonly bus: BusPositions;
  /** Where the key lies that services know each other by; undefined where SERVICE_AUTH_KEY gives it. */
  readonly keyFile: string | undefined;
  close(): Promise<void>;
}
