import type { SqlTransaction } from '@ragmesh/postgres';

const lockOf = (name: string): string => JSON.stringify(['qdrant collection', name]);

/** Until the transaction ends, one of Qdrant's collections is not dropped by any copy of the service: points go into it. */
export function keepCollection(tx: SqlTransaction, name: string): void {
  tx.write('SELECT pg_advisory_xact_lock_shared(hashtextextended($1, 0))', [lockOf(name)]);
}

/** Until the transaction ends, nobody puts points into one of Qdrant's collections; waits for those who do. */
export async function claimCollection(tx: SqlTransaction, name: string): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [lockOf(name)]);
}
