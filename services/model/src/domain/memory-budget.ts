/** A model in the memory of a process. */
export interface Resident {
  /** name@revision */
  readonly model: string;
  readonly bytes: number;
  /** Since its last use; 0 while it works. */
  readonly idleMs: number;
  /** Kept, whatever else needs room. */
  readonly pinned: boolean;
}

export interface MemoryDecision {
  /** To give up, least recently used first. */
  readonly unload: readonly string[];
  /** Whether everything that stays and what is wanted keeps within the budget. */
  readonly fits: boolean;
}

/**
 * Makes room by giving up the models whose last use is longest ago. What is pinned or at work stays. When even all others
 * would not make enough room for what is wanted, nothing is given up for it.
 */
export function decideMemory(budget: number, residents: readonly Resident[], wantedBytes = 0): MemoryDecision {
  let used = residents.reduce((sum, { bytes }) => sum + bytes, 0) + wantedBytes;
  const unload: string[] = [];
  const movable = residents.filter(({ pinned, idleMs }) => !pinned && idleMs > 0);
  for (const { model, bytes } of movable.toSorted((a, b) => b.idleMs - a.idleMs)) {
    if (used <= budget) break;
    unload.push(model);
    used -= bytes;
  }
  const fits = used <= budget;
  return { unload: fits || wantedBytes === 0 ? unload : [], fits };
}
