/** Who does what: the part that is known before it is done. */
export interface AuditEntry {
  readonly id: string;
  /** The actor's tenant. */
  readonly tenant: string;
  /** The tenant it is done to; the same, but for operators who name another. */
  readonly onTenant: string;
  /** `key:<id>`, `jwt:<sub>`, or `anonymous` while authentication is off. */
  readonly actor: string;
  /** The route: `DELETE /v1/documents/{id}`. */
  readonly action: string;
  /** What the path names; empty where it names nothing. */
  readonly target: string;
  readonly requestId: string;
  readonly traceId: string;
}

/** How it ended. */
export interface AuditOutcome {
  readonly id: string;
  readonly tenant: string;
  readonly status: number;
  readonly code: string | null;
  /** Ids of what was made. */
  readonly made: readonly string[];
}

/** An entry as it is read, with its outcome where there is one. */
export interface RecordedEntry extends AuditEntry {
  readonly sequence: string;
  readonly at: Date;
  readonly status: number | null;
  readonly code: string | null;
  readonly made: readonly string[];
}
