/**
 * Keeps retries a small share of all calls, so that a struggling dependency is not finished off by them: each first try
 * pays in `ratio`, each retry takes 1 out (Google SRE book, "Handling Overload", client-side retry budget).
 */
export class RetryBudget {
  private credit: number;

  constructor(
    private readonly ratio = 0.1,
    private readonly capacity = 10,
  ) {
    this.credit = capacity;
  }

  noteCall(): void {
    this.credit = Math.min(this.capacity, this.credit + this.ratio);
  }

  /** Whether a retry is allowed; if so, it is paid for. */
  spend(): boolean {
    if (this.credit < 1) return false;
    this.credit -= 1;
    return true;
  }
}
