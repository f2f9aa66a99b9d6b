import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { LOGGER } from '@ragmesh/bootstrap';
import { asRagmeshError } from '@ragmesh/errors';
import type { Logger } from '@ragmesh/observability';
import { Database } from '@ragmesh/postgres';
import { PeriodicTask, type Rest } from '@ragmesh/resilience';
import { deletionSaga } from '../sagas/deletion.saga.js';
import { ingestionSaga } from '../sagas/ingestion.saga.js';

const PAGE = 1_000;
const BETWEEN_PAGES_MS = 1_000;
const BETWEEN_WALKS_MS = 3_600_000;
const KEEP_DAYS = 30;

const COLLECT = `
  WITH page AS (
    SELECT name, id, tenant, deadline, updated_at, data FROM saga
    WHERE name IN ('${deletionSaga.name}', '${ingestionSaga.name}') AND (name, id) > ($1, $2) ORDER BY name, id LIMIT ${PAGE}),
  past AS (
    SELECT p.name, p.id FROM page p LEFT JOIN document d ON d.tenant = p.tenant AND d.id = p.data ->> 'documentId'
    WHERE p.deadline IS NULL AND p.updated_at < now() - ${KEEP_DAYS} * interval '1 day'
      AND (d.id IS NULL OR d.status = 'deleted'
        OR (p.data ->> 'version')::bigint NOT IN (d.version, coalesce(d.live_version, d.version)))),
  gone AS (
    DELETE FROM saga s USING past WHERE s.name = past.name AND s.id = past.id AND s.deadline IS NULL RETURNING s.name, s.id),
  notes AS (DELETE FROM saga_step n USING gone WHERE n.saga_name = gone.name AND n.saga_id = gone.id)
  SELECT name, id FROM page ORDER BY name DESC, id DESC LIMIT 1`;

interface Place {
  readonly name: string;
  readonly id: string;
}

const BEGINNING: Place = { name: '', id: '' };

/**
 * Removes what sagas did for versions nobody asks for any more, `KEEP_DAYS` after they ended: those of deleted documents, and
 * of versions that are neither the newest nor the one readers see. It walks over all sagas, a page at a time.
 */
@Injectable()
export class SagaCollector implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #rounds = new PeriodicTask(() => this.#round(), BETWEEN_PAGES_MS);
  #place = BEGINNING;

  constructor(
    private readonly database: Database,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.#rounds.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.#rounds.stop();
  }

  /** The next page. @returns whether another one is left. */
  async collect(): Promise<boolean> {
    const { rows } = await this.database.query<Place>(COLLECT, [this.#place.name, this.#place.id]);
    this.#place = rows[0] ?? BEGINNING;
    return rows.length > 0;
  }

  async #round(): Promise<Rest> {
    try {
      return (await this.collect()) ? BETWEEN_PAGES_MS : BETWEEN_WALKS_MS;
    } catch (error) {
      this.logger.warn({ code: asRagmeshError(error).code }, 'Old sagas could not be removed and will be later');
      return BETWEEN_WALKS_MS;
    }
  }
}
