import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { decodePayload, type EventSpec } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';

/**
 * Decodes the payload of an event. proto3 reads a field that is missing as an empty one; an event about nothing would then be
 * passed over by handlers as one about something that is gone, so it is refused here.
 * @throws RagmeshError EVENT.UNDECODABLE, EVENT.INVALID.
 */
export function readPayload<Desc extends DescMessage>(spec: EventSpec<Desc>, bytes: Uint8Array): MessageShape<Desc> {
  const payload = decodePayload(spec, bytes);
  const field = spec.schema.fields.find(({ name }) => name === spec.subjectField);
  if (field && (payload as Readonly<Record<string, unknown>>)[field.localName] === '')
    throw new RagmeshError('EVENT.INVALID', `The ${spec.type} event lacks ${field.name}.`, { field: field.name });
  return payload;
}
