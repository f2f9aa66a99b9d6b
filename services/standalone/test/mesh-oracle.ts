import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Drivers } from '@ragmesh/bootstrap';
import { eventSpecs, findEventSpec, serviceNames, type ServiceName } from '@ragmesh/contracts';
import type { Database } from '@ragmesh/postgres';

const SETTLE_WITHIN_MS = 60_000;

/** Events as they were first sent: retries and dead letters lie on topics of their own. */
const PUBLISHED = `
  SELECT headers ->> 'ce_id' AS id, headers ->> 'ce_type' AS type FROM outbox
  WHERE published_at IS NOT NULL AND topic = ANY ($1)`;

/** What must hold after every fault: the databases of all services, read directly. */
export class MeshOracle {
  readonly #databases: Map<ServiceName, Database>;

  constructor(
    drivers: Pick<Drivers, 'openDatabase'>,
    private readonly dataDir: string,
  ) {
    this.#databases = new Map(serviceNames.map((name) => [name, drivers.openDatabase(name)]));
  }

  async close(): Promise<void> {
    for (const database of this.#databases.values()) await database.close();
  }

  /** Waits until nothing is under way, then lists every promise that is broken; empty when all hold. */
  async violations(): Promise<string[]> {
    const deadline = performance.now() + SETTLE_WITHIN_MS;
    let open = await this.#unsettled();
    while (open.length > 0 && performance.now() < deadline) {
      await delay(100);
      open = await this.#unsettled();
    }
    const wrong = [await this.#wrongPoints(), await this.#wrongChunks(), await this.#wrongCatalogue()];
    return [...open, ...wrong.flat(), ...(await this.#wrongBlobs()), ...(await this.#doubleEffects())];
  }

  async #unsettled(): Promise<string[]> {
    const documents = await this.#rows(
      'document',
      `SELECT id, status FROM document WHERE status NOT IN ('ready', 'failed', 'deleted')`,
    );
    const sagas = await this.#rows('document', 'SELECT name, id, status, step FROM saga WHERE deadline IS NOT NULL');
    const garbage = await this.#rows('document', 'SELECT blob_key FROM blob_garbage');
    const found = [
      ...documents.map((row) => `not terminal: ${row}`),
      ...sagas.map((row) => `saga runs: ${row}`),
      ...garbage.map((row) => `blob waits: ${row}`),
    ];
    for (const service of serviceNames) {
      const unpublished = await this.#rows(service, 'SELECT topic, key, error FROM outbox WHERE published_at IS NULL');
      const unfinished = await this.#rows(service, 'SELECT event_id, handler_id FROM inbox WHERE finished_at IS NULL');
      found.push(
        ...unpublished.map((row) => `${service} did not publish: ${row}`),
        ...unfinished.map((row) => `${service} did not finish: ${row}`),
      );
    }
    return found.length > 0 ? found : this.#undelivered();
  }

  /**
   * Every event whose outbox row says that it was published, and of which a consumer knows nothing: one that begins it leaves a row
   * in its inbox, one that gives it up a finished one. Those rows outlive the outbox's by days.
   */
  async #undelivered(): Promise<string[]> {
    const found: string[] = [];
    const known = new Map<ServiceName, Set<string>>();
    for (const service of serviceNames) {
      const rows = await this.#rows(service, 'SELECT DISTINCT event_id FROM inbox WHERE finished_at IS NOT NULL');
      known.set(service, new Set(rows));
    }
    for (const producer of serviceNames) {
      const { rows } = await this.#databases
        .get(producer)!
        .query<{ id: string; type: string }>(PUBLISHED, [[...new Set(eventSpecs.map(({ topic }) => topic))]]);
      for (const { id, type } of rows) {
        const missing = (findEventSpec(type)?.consumers ?? []).filter(
          (consumer) => !known.get(consumer)!.has(JSON.stringify([id])),
        );
        found.push(...missing.map((consumer) => `${consumer} did not get: ${type} ${id} of ${producer}`));
      }
    }
    return found;
  }

  /** Live points are exactly the chunks of the live version. */
  async #wrongPoints(): Promise<string[]> {
    const expected = await this.#rows(
      'document',
      `SELECT d.id || '@' || d.live_version || ' ' || v.chunks FROM document d JOIN document_version v
         ON v.tenant = d.tenant AND v.document_id = d.id AND v.version = d.live_version ORDER BY 1`,
    );
    const indexed = await this.#rows(
      'vector',
      `SELECT document_id || '@' || version || ' ' || count(*) FROM point GROUP BY document_id, version ORDER BY 1`,
    );
    const visible = await this.#rows(
      'vector',
      `SELECT document_id || '@' || visible_version FROM document_index WHERE visible_version IS NOT NULL ORDER BY 1`,
    );
    const shown = expected.map((row) => row.replace(/ \d+"/, '"'));
    return [...difference('points', expected, indexed), ...difference('visible versions', shown, visible)];
  }

  /** Chunks are kept of versions that are there only, and of what readers see as many as are told of. */
  async #wrongChunks(): Promise<string[]> {
    const left = await this.#rows(
      'document',
      `SELECT DISTINCT b.tenant, b.document_id, b.version::text, b.generation FROM chunk_batch b
       LEFT JOIN document_version v USING (tenant, document_id, version)
       LEFT JOIN document d ON d.tenant = b.tenant AND d.id = b.document_id
       WHERE v.version IS NULL OR d.status IS NULL OR d.status = 'deleted'`,
    );
    const miscounted = await this.#rows(
      'document',
      `SELECT d.tenant, d.id, v.version::text, v.chunks, kept.chunks AS kept FROM document d
       JOIN document_version v ON v.tenant = d.tenant AND v.document_id = d.id AND v.version = d.live_version
       LEFT JOIN index_generation g ON g.tenant = d.tenant AND g.collection = d.collection AND g.state = 'live',
       LATERAL (SELECT coalesce(sum(jsonb_array_length(b.spans)), 0)::int AS chunks FROM chunk_batch b
         WHERE b.tenant = d.tenant AND b.document_id = d.id AND b.version = v.version
           AND b.generation = coalesce(g.generation, 0)) AS kept
       WHERE kept.chunks <> v.chunks`,
    );
    return [
      ...left.map((row) => `chunks of nothing: ${row}`),
      ...miscounted.map((row) => `chunks told of, and kept: ${row}`),
    ];
  }

  /**
   * The catalogue tells of each document what readers see of it, and of each that is gone that it is; word that something is gone
   * that never was is noted as well, and harms nobody.
   */
  async #wrongCatalogue(): Promise<string[]> {
    const expected = await this.#rows(
      'document',
      `SELECT tenant, id, coalesce(live_version, version)::text, CASE WHEN live_version IS NULL THEN 'deleted' ELSE 'ready' END
       FROM document WHERE live_version IS NOT NULL OR status = 'deleted' ORDER BY 1, 2`,
    );
    const noted = await this.#rows(
      'knowledge',
      `SELECT tenant, document_id, version::text, state FROM catalogue_entry WHERE state <> 'accepted' ORDER BY 1, 2`,
    );
    const known = new Set(expected);
    const told = noted.filter((row) => known.has(row) || !row.endsWith('"deleted"]'));
    return difference('catalogue entries', expected, told);
  }

  /** Blobs on disk are exactly those that a version refers to. */
  async #wrongBlobs(): Promise<string[]> {
    const referenced = await this.#rows(
      'document',
      `SELECT DISTINCT key FROM document_version, unnest(ARRAY[blob_key, text_blob_key]) AS key WHERE key IS NOT NULL ORDER BY 1`,
    );
    const entries = await readdir(join(this.dataDir, 'blobs'), { recursive: true, withFileTypes: true });
    const stored = entries
      .filter((entry) => entry.isFile())
      .map(({ name }) => JSON.stringify([name]))
      .toSorted();
    return difference('blobs', referenced, stored);
  }

  /** It was told once that a version became ready, and once that a document was deleted up to it. */
  async #doubleEffects(): Promise<string[]> {
    const twice = await this.#rows(
      'document',
      `SELECT topic, key, convert_from(value, 'utf8')::jsonb ->> 'version', count(*) FROM outbox
       WHERE topic IN ('document.ready', 'document.deleted') GROUP BY 1, 2, 3 HAVING count(*) > 1`,
    );
    return twice.map((row) => `happened twice: ${row}`);
  }

  async #rows(service: ServiceName, sql: string): Promise<string[]> {
    const { rows } = await this.#databases.get(service)!.query<Record<string, unknown>>(sql);
    return rows.map((row) => JSON.stringify(Object.values(row)));
  }
}

function difference(what: string, expected: readonly string[], found: readonly string[]): string[] {
  const missing = expected.filter((row) => !found.includes(row)).map((row) => `${what} missing: ${row}`);
  const extra = found.filter((row) => !expected.includes(row)).map((row) => `${what} too many: ${row}`);
  return [...missing, ...extra];
}
