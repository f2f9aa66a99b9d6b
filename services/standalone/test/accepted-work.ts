import type { Answer, ApiClient } from './api-client.js';

/** One call that changes a document, from its caller's side; its ends are numbers of the order in which things happened. */
interface Change {
  readonly sent: number;
  /** Also of a call that failed: who was asked is dead by then, and does no more of it. */
  ended: number;
  /** What was accepted: this version, or the deletion. Absent where the answer was lost, which is no promise. */
  accepted?: number | 'deletion';
}

/** What callers were promised with a 202, document by document, and whether it came true. */
export class AcceptedWork {
  readonly #uploads = new Map<string, Change[]>();
  readonly #deletions = new Map<string, Change[]>();
  #now = 0;

  /** How many documents had a version accepted. */
  get size(): number {
    return [...this.#uploads.keys()].filter((id) => this.has(id)).length;
  }

  has(id: string): boolean {
    return this.#newest(id) !== undefined;
  }

  /** Notes what becomes of an upload under this id; throws what the call throws. */
  upload(id: string, call: () => Promise<Answer>): Promise<Answer> {
    return this.#noted(this.#uploads, id, call, ({ body }) => Number(body['version']));
  }

  /** Notes what becomes of a deletion; throws what the call throws. */
  deletion(id: string, call: () => Promise<Answer>): Promise<Answer> {
    return this.#noted(this.#deletions, id, call, () => 'deletion');
  }

  /** Every promise that was not kept; to be asked once all work has ended. */
  async broken(api: ApiClient): Promise<string[]> {
    const found: string[] = [];
    for (const id of this.#uploads.keys()) {
      const { status, body } = await api.call('GET', `/v1/documents/${id}`);
      const fault = status === 404 ? this.#faultOfAbsence(id) : this.#faultOfPresence(id, body);
      if (fault) found.push(`${fault}: ${id} ${status} ${JSON.stringify(body)}`);
    }
    return found;
  }

  async #noted(
    changes: Map<string, Change[]>,
    id: string,
    call: () => Promise<Answer>,
    promise: (answer: Answer) => number | 'deletion',
  ): Promise<Answer> {
    const change: Change = { sent: ++this.#now, ended: Infinity };
    changes.set(id, [...(changes.get(id) ?? []), change]);
    try {
      const answer = await call();
      if (answer.status === 202) change.accepted = promise(answer);
      return answer;
    } finally {
      change.ended = ++this.#now;
    }
  }

  #newest(id: string): (Change & { accepted: number }) | undefined {
    const accepted = (this.#uploads.get(id) ?? []).filter((change) => change.accepted !== undefined);
    return (accepted as (Change & { accepted: number })[]).toSorted((a, b) => b.accepted - a.accepted)[0];
  }

  /** A deletion makes it right, accepted or unanswered, unless it was over when the newest version was sent. */
  #faultOfAbsence(id: string): string | undefined {
    const newest = this.#newest(id);
    if (!newest) return undefined;
    const isDeleted = (this.#deletions.get(id) ?? []).some(({ ended }) => ended > newest.sent);
    return isDeleted ? undefined : `version ${newest.accepted} was accepted and is gone`;
  }

  #faultOfPresence(id: string, { version, status }: Answer['body']): string | undefined {
    const newest = this.#newest(id)?.accepted ?? 0;
    if (!(Number(version) >= newest)) return `version ${newest} was accepted and is lost`;
    if (status !== 'ready' && status !== 'failed') return 'accepted and not terminal';
    const deletions = (this.#deletions.get(id) ?? []).filter(({ accepted }) => accepted === 'deletion');
    const lastEnd = Math.max(...this.#uploads.get(id)!.map(({ ended }) => ended));
    return deletions.some(({ sent }) => sent > lastEnd) ? 'its deletion was accepted and it is there' : undefined;
  }
}
