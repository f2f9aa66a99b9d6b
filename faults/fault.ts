/** `standalone`: one process, events in tables. `mesh`: events on Kafka, in eight processes or in one where the fault sits at a port. */
export const modes = ['standalone', 'mesh'] as const;
export type Mode = (typeof modes)[number];

/** Tests that show it: those of a spec file whose full name contains one of the texts. */
export interface Proof {
  /** Path from the root of the repository. */
  readonly spec: string;
  readonly tests: readonly string[];
}

/** Why there is no proof: there is nothing to prove, or nobody has done it yet. */
export interface NoProof {
  readonly kind: 'not applicable' | 'not proven';
  readonly why: string;
}

export type Evidence = readonly Proof[] | NoProof;

/** One fault, what must not come of it, and what shows that it does not. */
export interface Fault {
  readonly row: number;
  readonly fault: string;
  readonly never: string;
  /** What does the harm. */
  readonly tools: string;
  readonly standalone: Evidence;
  readonly mesh: Evidence;
}

export const proof = (spec: string, ...tests: readonly string[]): Proof => ({ spec, tests });
export const notApplicable = (why: string): NoProof => ({ kind: 'not applicable', why });
export const notProven = (why: string): NoProof => ({ kind: 'not proven', why });

/** Whether there are tests at all. */
export const isProven = (evidence: Evidence): evidence is readonly Proof[] => Array.isArray(evidence);
