import { serviceNames, type ServiceName } from '@ragmesh/contracts';
import type { Database } from '@ragmesh/postgres';

/** All rows of all services that belong to a tenant, whichever tables there are. */
export class TenantRows {
  readonly #databases: Map<ServiceName, Database>;

  constructor(open: (service: ServiceName) => Database) {
    this.#databases = new Map(serviceNames.map((name) => [name, open(name)]));
  }

  async close(): Promise<void> {
    for (const database of this.#databases.values()) await database.close();
  }

  /** @returns the rows as text, by `service.table`. */
  async of(tenant: string): Promise<Record<string, readonly string[]>> {
    const tables: Record<string, readonly string[]> = {};
    for (const [service, database] of this.#databases) {
      const { rows: names } = await database.query<{ name: string }>(
        `SELECT c.table_name AS name FROM information_schema.columns c JOIN information_schema.tables USING (table_schema, table_name)
         WHERE c.table_schema = 'public' AND c.column_name = 'tenant' AND table_type = 'BASE TABLE' ORDER BY 1`,
      );
      for (const { name } of names) {
        const { rows } = await database.query<{ line: string }>(
          `SELECT to_jsonb(t)::text AS line FROM "${name}" t WHERE tenant = $1 ORDER BY 1`,
          [tenant],
        );
        tables[`${service}.${name}`] = rows.map(({ line }) => line);
      }
    }
    return tables;
  }

  /** Ids of the given events that a service has neither handled nor given up. */
  async unhandledBy(service: ServiceName, eventIds: readonly string[]): Promise<string[]> {
    const { rows } = await this.#databases.get(service)!.query<{ id: string }>(
      `SELECT id FROM unnest($1::text[]) AS id
       WHERE NOT EXISTS (SELECT 1 FROM inbox WHERE event_id = id)
          OR EXISTS (SELECT 1 FROM inbox WHERE event_id = id AND finished_at IS NULL)`,
      [eventIds],
    );
    return rows.map(({ id }) => id);
  }
}
