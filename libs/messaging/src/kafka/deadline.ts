import { RagmeshError } from '@ragmesh/errors';

/** The work's outcome, or `DEPENDENCY.UNAVAILABLE` after this long; what the work does then is nobody's concern any more. */
export async function withDeadline<T>(work: Promise<T>, ms: number, doing: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    const late = new RagmeshError('DEPENDENCY.UNAVAILABLE', `Kafka took longer than ${ms} ms at ${doing}.`);
    timer = setTimeout(() => reject(late), ms).unref();
  });
  work.catch(() => undefined); // it may fail when nobody waits any more
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
