import { decodePayload, findEventSpec } from '@ragmesh/contracts';

/** Version of the aggregate an event is about, where it has one that can be read; 0 otherwise. */
export function versionOf(headers: Readonly<Record<string, string>>, value: Uint8Array): bigint {
  const spec = findEventSpec(headers['ce_type'] ?? '');
  try {
    const { version } = (spec ? decodePayload(spec, value) : {}) as { version?: unknown };
    return typeof version === 'bigint' ? version : 0n;
  } catch {
    return 0n; // undecodable: that is why it is here
  }
}
