/** What a statement gave: its rows, and how many rows it returned or changed. */
export interface SqlResult<R> {
  readonly rows: R[];
  readonly rowCount: number;
}

/** The port that outbox, inbox and saga write through, so that they need no service's generated Prisma client. */
export interface SqlTransaction {
  /** @param values of `$1`, `$2`, … */
  query<R = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<SqlResult<R>>;
}

/** The part of a Prisma interactive transaction (or client) that runs plain SQL. */
export interface PrismaSql {
  $queryRawUnsafe<T = unknown>(query: string, ...values: unknown[]): Promise<T>;
}

/** Prisma reads bigint as BigInt; through the port it is a number where no digit is lost, as it is through a pool. */
function withPlainNumbers<R>(row: object): R {
  const entries = Object.entries(row).map(([name, value]) => {
    const isSafe = typeof value === 'bigint' && Number.isSafeInteger(Number(value));
    return [name, isSafe ? Number(value) : value] as const;
  });
  return Object.fromEntries(entries) as R;
}

/**
 * Lets code that writes through the port take part in a Prisma interactive transaction. Prisma does not report how many
 * rows a statement changed: `rowCount` counts returned rows, so a statement whose count matters ends in `RETURNING`.
 */
export function asSqlTransaction(prisma: PrismaSql): SqlTransaction {
  return {
    async query<R>(text: string, values: readonly unknown[] = []): Promise<SqlResult<R>> {
      const rows = await prisma.$queryRawUnsafe<object[]>(text, ...values);
      return { rows: rows.map((row) => withPlainNumbers<R>(row)), rowCount: rows.length };
    },
  };
}
