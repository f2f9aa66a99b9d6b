import {
  fromBinary,
  fromJson,
  toBinary,
  toJson,
  type DescMessage,
  type JsonValue,
  type MessageShape,
} from '@bufbuild/protobuf';
import { RagmeshError } from '@ragmesh/errors';
import type { EventSpec } from './event-catalogue.js';

const contentTypes = { json: 'application/json', protobuf: 'application/protobuf' } as const;

/** The `content-type` header of an event of this spec. */
export const contentTypeOf = (spec: EventSpec): string => contentTypes[spec.encoding];

/** Payload bytes: proto3 JSON for public life-cycle events, protobuf for those that carry chunks. */
export function encodePayload<Desc extends DescMessage>(
  spec: EventSpec<Desc>,
  payload: MessageShape<Desc>,
): Uint8Array {
  if (spec.encoding === 'protobuf') return toBinary(spec.schema, payload);
  return new TextEncoder().encode(JSON.stringify(toJson(spec.schema, payload)));
}

/**
 * Reads what {@link encodePayload} wrote. Fields this release does not know are passed over, so newer producers of the
 * same major version are understood.
 * @throws RagmeshError EVENT.UNDECODABLE when the bytes are not a payload of this type.
 */
export function decodePayload<Desc extends DescMessage>(spec: EventSpec<Desc>, bytes: Uint8Array): MessageShape<Desc> {
  try {
    if (spec.encoding === 'protobuf') return fromBinary(spec.schema, bytes);
    const json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as JsonValue;
    return fromJson(spec.schema, json, { ignoreUnknownFields: true });
  } catch (cause) {
    throw new RagmeshError(
      'EVENT.UNDECODABLE',
      `The payload is not a valid ${spec.type} event.`,
      { type: spec.type },
      { cause },
    );
  }
}
