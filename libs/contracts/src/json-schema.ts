import { ScalarType, type DescField, type DescMessage } from '@bufbuild/protobuf';

type Schema = Readonly<Record<string, unknown>>;

const wellKnown: Readonly<Record<string, Schema>> = {
  'google.protobuf.Struct': { type: 'object' },
  'google.protobuf.Timestamp': { type: 'string', format: 'date-time' },
};

/** Scalars as proto3 JSON writes them: 64-bit integers are strings, bytes are base64. */
const scalars: Readonly<Record<ScalarType, Schema>> = {
  [ScalarType.STRING]: { type: 'string' },
  [ScalarType.BOOL]: { type: 'boolean' },
  [ScalarType.BYTES]: { type: 'string', contentEncoding: 'base64' },
  [ScalarType.DOUBLE]: { type: 'number' },
  [ScalarType.FLOAT]: { type: 'number' },
  [ScalarType.INT32]: { type: 'integer' },
  [ScalarType.UINT32]: { type: 'integer' },
  [ScalarType.SINT32]: { type: 'integer' },
  [ScalarType.FIXED32]: { type: 'integer' },
  [ScalarType.SFIXED32]: { type: 'integer' },
  [ScalarType.INT64]: { type: 'string', format: 'int64' },
  [ScalarType.UINT64]: { type: 'string', format: 'uint64' },
  [ScalarType.SINT64]: { type: 'string', format: 'int64' },
  [ScalarType.FIXED64]: { type: 'string', format: 'uint64' },
  [ScalarType.SFIXED64]: { type: 'string', format: 'int64' },
};

function fieldSchema(field: DescField): Schema {
  switch (field.fieldKind) {
    case 'scalar':
      return scalars[field.scalar];
    case 'enum':
      return { type: 'string', enum: field.enum.values.map(({ name }) => name) };
    case 'message':
      return messageSchema(field.message);
    case 'map':
      return { type: 'object', additionalProperties: field.mapKind === 'scalar' ? scalars[field.scalar] : {} };
    case 'list':
      if (field.listKind === 'message') return { type: 'array', items: messageSchema(field.message) };
      return { type: 'array', items: field.listKind === 'scalar' ? scalars[field.scalar] : { type: 'string' } };
  }
}

/** JSON Schema of a message in its proto3 JSON form. */
export function messageSchema(message: DescMessage): Schema {
  const known = wellKnown[message.typeName];
  if (known) return known;
  const properties = Object.fromEntries(message.fields.map((field) => [field.jsonName, fieldSchema(field)]));
  return { type: 'object', title: message.name, properties };
}
