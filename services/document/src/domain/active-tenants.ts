/** Long enough that who uploads now and then finds the way short each time but the first. */
const REMEMBERED_MS = 60_000;

/** Tenants with ingestions that began lately, as far as this process heard. */
export class ActiveTenants {
  /** When each was last heard of, in ms; the one heard of longest ago comes first. */
  readonly #heard = new Map<string, number>();

  /** @param now a clock in ms that never goes back. */
  constructor(private readonly now: () => number = () => performance.now()) {}

  note(tenant: string): void {
    this.#heard.delete(tenant);
    this.#heard.set(tenant, this.now());
  }

  /** Whether any but this one is active. */
  hasOthersThan(tenant: string): boolean {
    this.#forget();
    return this.#heard.size > (this.#heard.has(tenant) ? 1 : 0);
  }

  #forget(): void {
    const least = this.now() - REMEMBERED_MS;
    for (const [tenant, at] of this.#heard) {
      if (at >= least) return;
      this.#heard.delete(tenant);
    }
  }
}
