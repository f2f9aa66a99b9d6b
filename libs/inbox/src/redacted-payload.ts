import { ScalarType, type DescField, type JsonObject, type JsonValue } from '@bufbuild/protobuf';
import { reflect, type ReflectMessage } from '@bufbuild/protobuf/reflect';
import { decodePayload, findEventSpec } from '@ragmesh/contracts';

/** List items that are shown; of the others only the number. */
const SHOWN_ITEMS = 5;

/** Texts that name things and hold no content. Everything else is shown by its length alone. */
const NAMES = new Set([
  'document_id',
  'collection',
  'model',
  'media_type',
  'sha256',
  'stage',
  'code',
  'service',
  'handler',
  'topic',
  'event_id',
  'subject',
]);

const lengthOf = (text: string): string => `[text of ${text.length} characters]`;

/**
 * The payload of an event with its structure, numbers and ids, and the length of every text in place of it: what was
 * uploaded is nobody's business here.
 * @returns undefined when the type is unknown or the bytes are no payload of it.
 */
export function redactedPayload(eventType: string, value: Uint8Array): JsonObject | undefined {
  const spec = findEventSpec(eventType);
  if (!spec) return undefined;
  try {
    return redactMessage(reflect(spec.schema, decodePayload(spec, value)));
  } catch {
    return undefined; // undecodable: the letter's code says so
  }
}

function redactMessage(message: ReflectMessage): JsonObject {
  const set = message.fields.filter((field) => message.isSet(field));
  return Object.fromEntries(set.map((field) => [field.name, redactField(field, message)]));
}

function redactField(field: DescField, message: ReflectMessage): JsonValue {
  const value: unknown = message.get(field);
  switch (field.fieldKind) {
    case 'scalar':
      return redactScalar(field.name, value, field.scalar);
    case 'enum':
      return field.enum.value[value as number]?.name ?? (value as number);
    case 'message':
      // A Struct is plain JSON in the message itself.
      return field.message.typeName === 'google.protobuf.Struct'
        ? redactJson((message.message as unknown as Record<string, unknown>)[field.localName])
        : redactMessage(value as ReflectMessage);
    case 'list':
      return redactList([...(value as Iterable<unknown>)], (item) =>
        field.listKind === 'scalar'
          ? redactScalar(field.name, item, field.scalar)
          : redactMessage(item as ReflectMessage),
      );
    case 'map':
      return { entries: (value as { readonly size: number }).size };
  }
}

function redactList(items: readonly unknown[], redact: (item: unknown) => JsonValue): JsonValue {
  const shown = items.slice(0, SHOWN_ITEMS).map(redact);
  const hidden = items.length - shown.length;
  return hidden > 0 ? [...shown, `[${hidden} more]`] : shown;
}

function redactScalar(name: string, value: unknown, type: ScalarType): JsonValue {
  if (type === ScalarType.BYTES) return `[${(value as Uint8Array).byteLength} bytes]`;
  if (type === ScalarType.STRING) return NAMES.has(name) ? (value as string) : lengthOf(value as string);
  return typeof value === 'bigint' ? Number(value) : (value as JsonValue);
}

function redactJson(value: unknown): JsonValue {
  if (typeof value === 'string') return lengthOf(value);
  if (Array.isArray(value)) return redactList(value, redactJson);
  if (typeof value !== 'object' || value === null) return value as JsonValue;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, redactJson(inner)]));
}
