import { randomUUID } from 'node:crypto';
import { performance, type EventLoopUtilization } from 'node:perf_hooks';
import { catalogue, type ServiceName } from '@ragmesh/contracts';
import type { BestEffortPublisher } from '@ragmesh/messaging';
import { inContext } from '@ragmesh/observability';

const LOOK_MS = 5_000;
/** So often while nothing changes. */
const REPEAT_MS = 60_000;
const BYTES_PER_MB = 1024 * 1024;

type Status = 'ready' | 'not_ready' | 'stopped';

/**
 * Tells the bus how this copy of a service is: `service.health` when that changes and once a minute, then with
 * `performance.metrics` of its process. Best effort, for whoever watches a mesh without scraping it.
 */
export class ServiceReport {
  #told: { readonly status: Status; readonly at: number } | undefined;
  #used: { readonly loop: EventLoopUtilization; readonly cpu: NodeJS.CpuUsage } | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly service: ServiceName,
    private readonly publisher: BestEffortPublisher,
    private readonly isReady: () => boolean,
  ) {}

  start(): void {
    this.#look();
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref();
  }

  /** Says goodbye, as far as the bus takes it. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#tell('stopped');
    await this.publisher.close();
  }

  #look(): void {
    const status = this.isReady() ? 'ready' : 'not_ready';
    const isDue = !this.#told || performance.now() - this.#told.at >= REPEAT_MS;
    if (isDue || this.#told?.status !== status) this.#tell(status);
  }

  #tell(status: Status): void {
    const { service, publisher } = this;
    this.#told = { status, at: performance.now() };
    inContext({ tenant: 'default', requestId: randomUUID(), subject: service }, () => {
      publisher.publish(catalogue.serviceHealth, service, { service, status });
      publisher.publish(catalogue.performanceMetrics, service, { service, values: this.#figures() });
    });
  }

  /** Of the process, since the last time they were told. */
  #figures(): Record<string, number> {
    const [loop, cpu] = [performance.eventLoopUtilization(), process.cpuUsage()];
    const before = this.#used ?? { loop: undefined, cpu: { user: 0, system: 0 } };
    this.#used = { loop, cpu };
    return {
      event_loop_utilization: performance.eventLoopUtilization(loop, before.loop).utilization,
      processor_seconds: (cpu.user + cpu.system - before.cpu.user - before.cpu.system) / 1e6,
      resident_memory_mb: process.memoryUsage.rss() / BYTES_PER_MB,
    };
  }
}
