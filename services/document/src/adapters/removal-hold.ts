/** Any number no other advisory lock of this database has. */
const LOCK = 7_246_380;

/**
 * A backup copies blobs after its snapshot of the rows, so a blob that the snapshot refers to must not go in between. Whoever
 * asks for this, on a session of its own, keeps blobs from being removed until the session ends; it waits for removals that run.
 */
export const holdBlobRemoval = `SELECT pg_advisory_lock(${LOCK})`;

/** Whether a blob may be removed in this transaction, one row with `allowed`. What may not go now has to stay listed. */
export const blobRemovalAllowed = `SELECT pg_try_advisory_xact_lock_shared(${LOCK}) AS allowed`;
