declare module 'kafkajs/src/network/requestQueue/index.js' {
  /** One per connection. The fields are those of kafkajs 2.2.4. */
  export default class RequestQueue {
    pending: unknown[];
    scheduleCheckPendingRequests(): void;
  }
}
