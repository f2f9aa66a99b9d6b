import {
  create,
  fromBinary,
  toBinary,
  type BinaryReadOptions,
  type DescMethod,
  type DescService,
  type Message,
} from '@bufbuild/protobuf';
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import type { PackageDefinition } from '@grpc/proto-loader';

/** A method, as HTTP/2 names it. */
export const pathOf = (service: DescService, method: DescMethod): string => `/${service.typeName}/${method.name}`;

/**
 * Messages in messages that an answer may have. A request has at most 100, which is what protobuf reads unless told otherwise;
 * what came in one is answered with a few messages around it.
 */
const ANSWER_DEPTH = 120;

function methodDefinition(service: DescService, method: DescMethod): MethodDefinition<Message, Message> {
  const encode = (schema: typeof method.input) => (value: Message) =>
    Buffer.from(toBinary(schema, create(schema, value)));
  const decode = (schema: typeof method.input, options?: Partial<BinaryReadOptions>) => (bytes: Buffer) =>
    fromBinary(schema, bytes, options);
  return {
    path: pathOf(service, method),
    requestStream: method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming',
    responseStream: method.methodKind === 'server_streaming' || method.methodKind === 'bidi_streaming',
    requestSerialize: encode(method.input),
    requestDeserialize: decode(method.input),
    responseSerialize: encode(method.output),
    responseDeserialize: decode(method.output, { recursionLimit: ANSWER_DEPTH }),
    originalName: method.localName,
  };
}

/** What grpc-js needs to serve or call a service, made from its generated description: no .proto file at run time. */
export function serviceDefinition(service: DescService): ServiceDefinition {
  return Object.fromEntries(service.methods.map((method) => [method.name, methodDefinition(service, method)]));
}

/** Several services as one package definition, in the shape Nest's gRPC transport takes. */
export function packageDefinition(services: readonly DescService[]): PackageDefinition {
  return Object.fromEntries(
    services.map((service) => [service.typeName, serviceDefinition(service)]),
  ) as PackageDefinition;
}
