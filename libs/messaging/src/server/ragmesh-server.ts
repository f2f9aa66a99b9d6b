import { Server, type CustomTransportStrategy, type MessageHandler } from '@nestjs/microservices';
import { consumerGroup, retryTopic, type ServiceName } from '@ragmesh/contracts';
import type { Logger } from '@ragmesh/observability';
import { lastValueFrom } from 'rxjs';
import { EventConsumer } from '../consumer/event-consumer.js';
import type { BusDriver, Subscription } from '../driver/bus-driver.js';
import type { DeliveryJournal } from '../handling/delivery-journal.js';
import { HandlerRegistry } from '../handling/event-handler.js';
import type { HandlerResult } from '../handling/handler-result.js';
import type { HandlerExtras } from '../handling/handles-event.decorator.js';
import { defaultRetryPolicy, type RetryPolicy } from '../handling/retry-policy.js';
import { RAGMESH_TRANSPORT } from './transport-id.js';
import { DeliveryPipeline } from '../pipeline/delivery-pipeline.js';

export interface RagmeshServerOptions {
  readonly service: ServiceName;
  readonly driver: BusDriver;
  readonly journal: DeliveryJournal;
  readonly logger: Logger;
  readonly retry?: RetryPolicy;
  /** Events handled at once. */
  readonly concurrency?: number;
  readonly drainMs?: number;
}

/**
 * Nest transport for events: `@EventPattern` handlers run through our delivery pipeline over any bus driver. Nothing a
 * handler throws reaches the driver.
 */
export class RagmeshServer extends Server implements CustomTransportStrategy {
  override readonly transportId = RAGMESH_TRANSPORT;
  #consumer: EventConsumer | undefined;
  #subscription: Subscription | undefined;

  constructor(private readonly options: RagmeshServerOptions) {
    super();
  }

  listen(callback: (error?: unknown) => void): void {
    this.#start().then(() => callback(), callback);
  }

  async close(): Promise<void> {
    await this.#consumer?.stop(this.options.drainMs ?? 10_000);
    this.#consumer = undefined;
  }

  /** False once the subscription cannot recover by itself; fails liveness. */
  isAlive(): boolean {
    return this.#subscription?.isAlive() ?? true;
  }

  /** The running subscription, for lag figures. */
  get subscription(): Subscription | undefined {
    return this.#subscription;
  }

  on(): never {
    throw new Error('RagmeshServer has no events of its own; read isAlive() and subscription.lag()');
  }

  unwrap<T>(): T {
    return this.options.driver as T;
  }

  async #start(): Promise<void> {
    const registry = this.#registry();
    if (registry.topics.length === 0) return;
    const { service, driver, journal, logger, retry = defaultRetryPolicy, concurrency = 16 } = this.options;
    const pipeline = new DeliveryPipeline({ service, registry, journal, retry, logger });
    const topics = registry.topics.flatMap((topic) => [topic, retryTopic(topic, service)]);
    this.#consumer = new EventConsumer(pipeline, { group: consumerGroup(service), topics, concurrency });
    this.#subscription = await this.#consumer.start(driver);
  }

  #registry(): HandlerRegistry {
    const registry = new HandlerRegistry();
    for (const first of this.messageHandlers.values()) {
      for (
        let handler: MessageHandler | undefined = first;
        handler;
        handler = handler.next as MessageHandler | undefined
      ) {
        const call = handler;
        const { id, spec, deadlineSeconds } = call.extras as unknown as HandlerExtras;
        registry.add({
          id,
          spec,
          deadlineSeconds,
          handle: async (message, delivery) =>
            lastValueFrom(this.transformToObservable(await call(message, delivery))) as Promise<HandlerResult>,
        });
      }
    }
    return registry;
  }
}
