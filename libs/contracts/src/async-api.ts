import { contentTypeOf } from './event-codec.js';
import { eventSpecs, serviceNames, type EventSpec, type ServiceName } from './event-catalogue.js';
import { messageSchema } from './json-schema.js';

type Node = Readonly<Record<string, unknown>>;

const string = (description: string): Node => ({ type: 'string', description });

const headers: Node = {
  type: 'object',
  required: [
    'ce_id',
    'ce_source',
    'ce_type',
    'ce_specversion',
    'ce_time',
    'ce_subject',
    'ce_tenant',
    'ragmesh-signature',
  ],
  properties: {
    ce_id: string('UUIDv7 of the event; the same on every redelivery'),
    ce_source: string('/ragmesh/<service>'),
    ce_type: string('Name of the event'),
    ce_specversion: { type: 'string', const: '1.0' },
    ce_time: { type: 'string', format: 'date-time' },
    ce_subject: string('Id of the aggregate; also the key of the record'),
    ce_tenant: string('Tenant the event belongs to'),
    ce_actor: string('Who did what it tells of: a user, a key, or a service of its own accord'),
    'ragmesh-signature': string(
      'HMAC-SHA256 with SERVICE_AUTH_KEY over id, type, source, tenant, subject, actor, correlation and the SHA-256 of the payload',
    ),
    ce_correlation: string('Id of the request that began it all'),
    ce_causation: string('Id of the event that caused this one'),
    traceparent: string('W3C trace context'),
  },
};

const channelId = (topic: string): string => topic.replaceAll('.', '_');
const messageId = ({ type }: EventSpec): string => type.replaceAll('.', '_');

function channels(): Node {
  const topics = new Map<string, EventSpec[]>();
  for (const spec of eventSpecs) topics.set(spec.topic, [...(topics.get(spec.topic) ?? []), spec]);
  return Object.fromEntries(
    [...topics].map(([topic, specs]) => [
      channelId(topic),
      {
        address: topic,
        messages: Object.fromEntries(
          specs.map((spec) => [messageId(spec), { $ref: `#/components/messages/${messageId(spec)}` }]),
        ),
      },
    ]),
  );
}

function operation(action: 'send' | 'receive', service: ServiceName, spec: EventSpec): [string, Node] {
  const channel = channelId(spec.topic);
  return [
    `${service}_${action}_${messageId(spec)}`,
    {
      action,
      channel: { $ref: `#/channels/${channel}` },
      messages: [{ $ref: `#/channels/${channel}/messages/${messageId(spec)}` }],
      tags: [{ name: service }],
    },
  ];
}

function operations(): Node {
  const all = serviceNames.flatMap((service) =>
    eventSpecs.flatMap((spec) => [
      ...(spec.producers.includes(service) ? [operation('send', service, spec)] : []),
      ...(spec.consumers.includes(service) ? [operation('receive', service, spec)] : []),
    ]),
  );
  return Object.fromEntries(all);
}

function message(spec: EventSpec): Node {
  return {
    name: spec.type,
    title: spec.schema.name,
    summary: spec.summary,
    contentType: contentTypeOf(spec),
    headers,
    payload: messageSchema(spec.schema),
  };
}

/** The mesh's events as an AsyncAPI 3.0 document, made from the event catalogue. */
export function asyncApiDocument(): Node {
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'ragmesh events',
      version: '0.2.0',
      description: 'CloudEvents 1.0 in Kafka binary mode. The key of a record is the id of the aggregate it is about.',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/json',
    channels: channels(),
    operations: operations(),
    components: { messages: Object.fromEntries(eventSpecs.map((spec) => [messageId(spec), message(spec)])) },
  };
}
