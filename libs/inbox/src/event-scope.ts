import { decodePayload, findEventSpec } from '@ragmesh/contracts';

/** What of an aggregate an event is about. */
export interface EventScope {
  /** Version of the aggregate, where the event has one that can be read; 0 otherwise. */
  readonly version: bigint;
  /** Generation of the collection's index, where the event names one. */
  readonly generation?: number;
}

/** Reads what an event is about off its payload. */
export function scopeOf(headers: Readonly<Record<string, string>>, value: Uint8Array): EventScope {
  const spec = findEventSpec(headers['ce_type'] ?? '');
  try {
    const payload = (spec ? decodePayload(spec, value) : {}) as { version?: unknown; generation?: unknown };
    const { version, generation } = payload;
    return {
      version: typeof version === 'bigint' ? version : 0n,
      ...(typeof generation === 'number' ? { generation } : {}),
    };
  } catch {
    return { version: 0n }; // undecodable: that is why it is here
  }
}
