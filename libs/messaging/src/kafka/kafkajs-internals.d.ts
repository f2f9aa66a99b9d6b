declare module 'kafkajs/src/network/requestQueue/index.js' {
  /** One per connection. The fields are those of kafkajs 2.2.4. */
  export default class RequestQueue {
    pending: unknown[];
    scheduleCheckPendingRequests(): void;
  }
}

declare module 'kafkajs/src/broker/index.js' {
  /** One server of a cluster, as far as a spec makes one that was never reached. */
  export default class Broker {
    constructor(options: { connectionPool: object; logger: { namespace(name: string): object } });
    metadata(topics: readonly string[]): Promise<unknown>;
  }
}
