/** What a network between two processes can do to them. All apply to live connections too, from the moment they are set. */
export interface Faults {
  /** Held back on every piece, in each direction; pieces keep their order. */
  readonly latencyMs: number;
  /** Added to the latency, evenly spread from 0. */
  readonly jitterMs: number;
  /** Speed of each direction of a connection. */
  readonly bytesPerSecond: number;
  /** Largest piece that is passed on at once: cuts messages in two. */
  readonly sliceBytes: number;
  /** Pause between two slices. */
  readonly sliceDelayMs: number;
  /** Connections are accepted and nothing is passed on; what was sent meanwhile arrives when it ends. */
  readonly blackHole: boolean;
  /** New connections get "connection refused"; live ones go on. */
  readonly refuse: boolean;
  /** New connections get a reset as soon as they are accepted; live ones get it now. */
  readonly reset: boolean;
  /** A connection is reset after so many bytes went from the target to the client: in the middle of an answer. */
  readonly resetAfterBytes: number;
}

export const noFaults: Faults = {
  latencyMs: 0,
  jitterMs: 0,
  bytesPerSecond: Infinity,
  sliceBytes: Infinity,
  sliceDelayMs: 0,
  blackHole: false,
  refuse: false,
  reset: false,
  resetAfterBytes: Infinity,
};

/** The faults in force, which running connections look up again whenever they change. */
export class CurrentFaults {
  #faults = noFaults;
  #changed = Promise.withResolvers<void>();

  get value(): Faults {
    return this.#faults;
  }

  set(faults: Partial<Faults>): void {
    this.#faults = { ...noFaults, ...faults };
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** Resolves at the next {@link set}. */
  get changed(): Promise<void> {
    return this.#changed.promise;
  }
}
