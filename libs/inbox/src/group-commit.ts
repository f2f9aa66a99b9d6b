/** What is to be committed. Two jobs of one key never run at once, nor in one group. */
export interface GroupJob {
  readonly key: string;
}

interface Waiting<Job, Result> {
  readonly job: Job;
  /** Its group failed: it goes alone, so that one bad job fails nobody else. */
  readonly alone: boolean;
  readonly resolve: (result: Result) => void;
  readonly reject: (reason: unknown) => void;
}

/** Two groups at a time: while one waits for the disk the other fills, and one that waits for a lock does not stop the rest. */
const MAX_GROUPS = 2;
const MAX_JOBS = 32;
/** When jobs came together lately, more are likely on their way: waiting for them costs less than a transaction of their own. */
const LINGER_MS = 4;

/**
 * Group commit: jobs that come while others are being committed share the next transaction, and with it its round trips
 * and its wait for the disk. A job that comes alone is committed at once. When a group fails, each of its jobs is
 * committed by itself, so jobs must be safe to run again after a rollback.
 */
export class GroupCommit<Job extends GroupJob, Result> {
  #waiting: Waiting<Job, Result>[] = [];
  readonly #busy = new Set<string>();
  #groups = 0;
  #pumping = false;
  #isBusy = false;

  /** @param commit commits all of them or none, and answers in their order. */
  constructor(private readonly commit: (jobs: readonly Job[]) => Promise<readonly Result[]>) {}

  submit(job: Job): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ job, alone: false, resolve, reject });
      this.#pumpSoon();
    });
  }

  /** After this turn, or a little later when it is busy, so that what comes meanwhile shares a group. */
  #pumpSoon(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    const pump = (): void => {
      this.#pumping = false;
      for (let group = this.#nextGroup(); group.length > 0; group = this.#nextGroup()) void this.#run(group);
    };
    if (this.#isBusy) setTimeout(pump, LINGER_MS);
    else setImmediate(pump);
  }

  #nextGroup(): Waiting<Job, Result>[] {
    if (this.#groups >= MAX_GROUPS) return [];
    const group: Waiting<Job, Result>[] = [];
    const left: Waiting<Job, Result>[] = [];
    for (const waiting of this.#waiting) {
      const isFull = group.length >= (group[0]?.alone ? 1 : MAX_JOBS);
      if (isFull || (waiting.alone && group.length > 0) || this.#busy.has(waiting.job.key)) left.push(waiting);
      else {
        group.push(waiting);
        this.#busy.add(waiting.job.key);
      }
    }
    this.#waiting = left;
    return group;
  }

  async #run(group: readonly Waiting<Job, Result>[]): Promise<void> {
    this.#groups += 1;
    this.#isBusy = group.length > 1;
    try {
      const results = await this.commit(group.map(({ job }) => job));
      group.forEach(({ resolve }, at) => resolve(results[at]!));
    } catch (error) {
      if (group.length === 1) group[0]!.reject(error);
      else this.#waiting.unshift(...group.map((waiting) => ({ ...waiting, alone: true })));
    } finally {
      this.#groups -= 1;
      for (const { job } of group) this.#busy.delete(job.key);
      this.#pumpSoon();
    }
  }
}
