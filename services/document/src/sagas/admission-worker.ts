import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { LOGGER } from '@ragmesh/bootstrap';
import { asRagmeshError } from '@ragmesh/errors';
import { gauge, inContext, type Logger } from '@ragmesh/observability';
import { Outbox } from '@ragmesh/outbox';
import { PeriodicTask } from '@ragmesh/resilience';
import { v7 as uuidv7 } from 'uuid';
import { WaitingIngestions } from '../adapters/waiting-ingestions.js';
import { IngestionProcess } from '../commands/ingestion-process.js';

const PAUSE_MS = 1_000;

/**
 * Begins ingestions that wait although there is room: an upload and the end of the last ingestion before it may miss each
 * other, and the room grows with the configuration. So what was accepted never waits for something that does not come.
 */
@Injectable()
export class AdmissionWorker implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #rounds = new PeriodicTask((signal) => this.#round(signal), PAUSE_MS);

  constructor(
    private readonly outbox: Outbox,
    private readonly waiting: WaitingIngestions,
    private readonly ingestion: IngestionProcess,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.#rounds.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.#rounds.stop();
  }

  async #round(signal: AbortSignal): Promise<void> {
    try {
      this.ingestion.noteActive(await this.waiting.tenantsAtWork());
      const tenants = await this.waiting.tenants();
      gauge('ragmesh_ingestions_waiting').set(tenants.reduce((sum, { count }) => sum + count, 0));
      gauge('ragmesh_ingestions_waiting_seconds').set(Math.max(0, ...tenants.map(({ seconds }) => seconds)));
      for (const { tenant } of tenants) {
        if (signal.aborted) return;
        await this.#begin(tenant).catch((error: unknown) => this.#pass(tenant, error));
      }
    } catch (error) {
      this.logger.warn({ code: asRagmeshError(error).code }, 'Waiting ingestions could not be read and will be again');
    }
  }

  #begin(tenant: string): Promise<void> {
    return inContext({ tenant, requestId: uuidv7(), subject: 'admission' }, () =>
      this.outbox.transaction((tx, { publish }) => this.ingestion.beginNext(tx, publish, tenant)),
    );
  }

  /** What fails of one tenant holds no other one up. @throws RagmeshError `STORAGE.*`: it would fail for all of them. */
  #pass(tenant: string, error: unknown): void {
    const { code } = asRagmeshError(error);
    if (code.startsWith('STORAGE.')) throw error;
    this.logger.error({ code, tenant }, 'The waiting ingestions of a tenant could not begin and will be tried again');
  }
}
