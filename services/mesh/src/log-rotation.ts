import { renameSync, statSync } from 'node:fs';

/** A log is as long as a person still opens; at one line per event it holds days. */
const LARGEST_LOG_BYTES = 50 * 1024 * 1024;

/**
 * Puts a log that has grown large aside as `<file>.1`, in place of the one before, so that a new one begins. For the moment
 * before a log is opened: whoever has it open goes on writing to the one put aside.
 */
export function putLargeLogAside(file: string): void {
  const { size } = statSync(file, { throwIfNoEntry: false }) ?? { size: 0 };
  if (size > LARGEST_LOG_BYTES) renameSync(file, `${file}.1`);
}
