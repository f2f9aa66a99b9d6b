/** Which slots a search may return: flag 1 per slot, and how many there are. */
export interface AllowedSlots {
  readonly flags: Uint8Array;
  readonly count: number;
  /** All slots in use, allowed or not. */
  readonly alive: number;
}
