import type { Logger } from '@ragmesh/observability';
import type { VectorConfig } from '../../vector.config.js';
import { PgvectorSchema } from '../pgvector/pgvector-schema.js';
import { PgvectorStore, type PgvectorStoreParts } from '../pgvector/pgvector-store.js';
import { RowInventory } from '../row-inventory.js';
import type { VectorStore } from '../vector-store.js';
import { SecondStoreUpkeep } from './second-store-upkeep.js';
import { StoreWithSecond, type FirstStore } from './store-with-second.js';

/** A store with the second one that the configuration names; as it is when that is none. */
export function withSecondStore(
  first: FirstStore,
  { VECTOR_SECOND_STORE: named, RECONCILE_INTERVAL_SECONDS: seconds }: VectorConfig,
  parts: Omit<PgvectorStoreParts, 'schema'> & { readonly logger: Logger },
): VectorStore {
  if (named === 'none') return first;
  const { database, logger } = parts;
  const second = new PgvectorStore({ ...parts, schema: new PgvectorSchema(database) });
  const upkeep = new SecondStoreUpkeep(second, new RowInventory(database), seconds * 1000, logger);
  return new StoreWithSecond(first, second, upkeep, logger);
}
