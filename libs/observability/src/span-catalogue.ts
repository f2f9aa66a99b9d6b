/** One kind of span. */
export interface SpanSpec {
  /** Name as a trace shows it; what is in angle brackets differs from span to span. */
  readonly name: string;
  readonly kind: 'server' | 'client' | 'consumer';
  /** Who makes it. */
  readonly madeBy: string;
  readonly attributes: readonly string[];
}

/** Every kind of span: one wherever work crosses a boundary, and none inside. */
export const spanCatalogue: readonly SpanSpec[] = [
  {
    name: '<method> <route>',
    kind: 'server',
    madeBy: 'gateway, for each HTTP request',
    attributes: ['http.request.method', 'http.route', 'url.scheme', 'http.response.status_code', 'error.type'],
  },
  {
    name: '<service>.<method>',
    kind: 'client',
    madeBy: 'whoever calls another service',
    attributes: ['rpc.system', 'rpc.service', 'rpc.method', 'error.type'],
  },
  { name: '<controller>.<method>', kind: 'server', madeBy: 'the service that is called', attributes: ['error.type'] },
  {
    name: 'process <event type>',
    kind: 'consumer',
    madeBy: 'the service that handles an event, for each attempt',
    attributes: [
      'messaging.operation.type',
      'messaging.destination.name',
      'messaging.message.id',
      'ragmesh.service',
      'ragmesh.handler',
      'ragmesh.attempt',
      'error.type',
    ],
  },
  {
    name: 'chat <model>',
    kind: 'client',
    madeBy: 'generation, for each call of a language model',
    attributes: [
      'gen_ai.operation.name',
      'gen_ai.provider.name',
      'gen_ai.request.model',
      'gen_ai.usage.input_tokens',
      'gen_ai.usage.output_tokens',
      'ragmesh.llm.outcome',
      'error.type',
    ],
  },
];

/** Attributes a span may have. Never a text, a question or a URL. */
export const spanAttributes: readonly string[] = [...new Set(spanCatalogue.flatMap(({ attributes }) => attributes))];
