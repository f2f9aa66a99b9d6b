import type { BusRecord } from '../driver/bus-driver.js';

/** What one process shares per database: it learns of its own writes without asking the database. */
export interface TailListener {
  /** Records of one partition that have just become durable, in offset order. */
  appended(partitionId: number, records: readonly BusRecord[]): void;
  /** Groups have gained or lost members or let go of partitions. */
  groupsChanged(): void;
}

const tails = new Map<string, Set<TailListener>>();

/** Joins the process's tail of this database; the function returned leaves it. */
export function joinLocalTail(databaseUrl: string, listener: TailListener): () => void {
  const listeners = tails.get(databaseUrl) ?? new Set();
  tails.set(databaseUrl, listeners.add(listener));
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) tails.delete(databaseUrl);
  };
}

export function announceAppended(databaseUrl: string, partitionId: number, records: readonly BusRecord[]): void {
  for (const listener of tails.get(databaseUrl) ?? []) listener.appended(partitionId, records);
}

/** @param from hears nothing: it is the one who tells. */
export function announceGroupsChanged(databaseUrl: string, from: TailListener): void {
  for (const listener of tails.get(databaseUrl) ?? []) if (listener !== from) listener.groupsChanged();
}
