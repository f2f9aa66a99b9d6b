import type { Database } from '@ragmesh/postgres';

/** The next insert of a row with ordinal 150 fails, in the middle of its batch; sequences do not roll back, so it is one. */
export async function failOneInsert(database: Database, table: string): Promise<void> {
  await database.query('CREATE SEQUENCE one_failure');
  await database.query(`
    CREATE FUNCTION fail_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF NEW.ordinal = 150 AND nextval('one_failure') = 1 THEN RAISE EXCEPTION 'interrupted'; END IF;
      RETURN NEW;
    END $$`);
  await database.query(`CREATE TRIGGER fail_once BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION fail_once()`);
}
