import type pg from 'pg';

export interface Table {
  readonly schema: string;
  readonly name: string;
  readonly columns: string[];
}

/**
 * What is not taken along: `_prisma_migrations` is written by the migrations of the restore; leases and holders name processes
 * of the installation the backup is of; `point_search` is made of `point` again, by whichever vector store there is then.
 */
const LEFT_OUT = ['_prisma_migrations', 'outbox_lease', 'resident', 'point_search'];

const TABLES = `
  SELECT n.nspname AS schema, c.relname AS name,
    array_agg(a.attname::text ORDER BY a.attnum) FILTER (WHERE a.attgenerated = '') AS columns
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relname <> ALL($1)
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
  GROUP BY n.nspname, c.relname ORDER BY 1, 2`;

const REFERENCES = `
  SELECT source.relname AS source, target.relname AS target FROM pg_constraint k
  JOIN pg_class source ON source.oid = k.conrelid JOIN pg_class target ON target.oid = k.confrelid
  WHERE k.contype = 'f' AND k.conrelid <> k.confrelid`;

/** The tables that are copied: those that others refer to come before them. */
export async function tablesOf(client: pg.Client): Promise<Table[]> {
  const { rows: tables } = await client.query<Table>(TABLES, [LEFT_OUT]);
  const { rows: references } = await client.query<{ source: string; target: string }>(REFERENCES);
  const ordered: Table[] = [];
  const add = (table: Table): void => {
    if (ordered.includes(table)) return;
    for (const { source, target } of references)
      if (source === table.name) tables.filter(({ name }) => name === target).forEach(add);
    ordered.push(table);
  };
  tables.forEach(add);
  return ordered;
}

/** As SQL names the table. */
export const nameOf = (client: pg.Client, { schema, name }: Pick<Table, 'schema' | 'name'>): string =>
  `${client.escapeIdentifier(schema)}.${client.escapeIdentifier(name)}`;

/** The table with its columns by name: another release may have them in another order. */
export const placesOf = (client: pg.Client, table: Table): string =>
  `${nameOf(client, table)} (${table.columns.map((column) => client.escapeIdentifier(column)).join(', ')})`;
