import { RagmeshError } from '@ragmesh/errors';
import type { SessionIdentity } from './bus-signals.js';
import type { EmbeddedSubscription } from './embedded-subscription.js';
import type { Claim, GroupStore } from './group-store.js';

/**
 * Keeps the leases of this process's members, notices members that died and tells each member what it holds. One round
 * at a time; a round asked for meanwhile follows at once. Without a session there are none: members keep what they hold
 * as long as their leases last, and whoever joins with a session that is gone is thrown out again.
 */
export class GroupCoordinator {
  private readonly members = new Set<EmbeddedSubscription>();
  private session: SessionIdentity | undefined;
  private running: Promise<void> | undefined;
  private again = false;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(
    private readonly store: GroupStore,
    private readonly leaseMs: number,
    /** Tells the other coordinators, never this one: a round that changed groups goes on to the claims by itself. */
    private readonly othersLook: () => void,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** The session whose end means that this process died. */
  sessionIs(session: SessionIdentity): void {
    this.session = session;
    void this.look();
  }

  sessionLost(): void {
    this.session = undefined;
  }

  /** @throws RagmeshError STORAGE.UNAVAILABLE without a database or a session. */
  async join(member: EmbeddedSubscription): Promise<void> {
    if (!this.session) throw new RagmeshError('STORAGE.UNAVAILABLE', 'The session of the event bus is being restored.');
    await this.enter(member, this.session);
    this.members.add(member);
    this.othersLook();
    await this.look();
  }

  async leave(member: EmbeddedSubscription): Promise<void> {
    this.members.delete(member);
    await this.running?.catch(() => undefined); // whoever started it is told
    await this.store.leave(member.membership).catch((error: unknown) => this.failed(error)); // its lease runs out instead
    this.othersLook();
    void this.look();
  }

  /** Runs a round; resolves when one that began after the call is done. Failures are repeated, never thrown. */
  look(): Promise<void> {
    this.again = true;
    this.running ??= this.rounds().finally(() => (this.running = undefined));
    return this.running;
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private async rounds(): Promise<void> {
    clearTimeout(this.timer);
    let pause = this.leaseMs / 3;
    while (this.again && !this.closed) {
      this.again = false;
      try {
        await this.round();
      } catch (error) {
        this.failed(error);
        pause = Math.min(pause, 500);
      }
    }
    if (this.closed) return;
    this.timer = setTimeout(() => void this.look(), pause);
    this.timer.unref();
  }

  private async round(): Promise<void> {
    const members = [...this.members];
    const { session } = this;
    if (members.length === 0 || !session) return;
    await this.renew(members, session);
    const groups = [...new Set(members.map(({ membership }) => membership.group))];
    if (await this.store.buryDead(groups)) this.othersLook();
    const claims = await this.store.claim(
      groups,
      members.map(({ membership }) => membership.id),
    );
    const byMember = Map.groupBy(claims, ({ member }: Claim) => member);
    for (const member of members) member.reconcile(byMember.get(member.membership.id) ?? []);
  }

  private async renew(members: readonly EmbeddedSubscription[], session: SessionIdentity): Promise<void> {
    const asked = performance.now();
    const renewed = await this.store.renew(
      members.map(({ membership }) => membership.id),
      session,
    );
    for (const member of members) {
      if (renewed.has(member.membership.id)) member.leaseGranted(asked);
      else if (this.members.has(member) && member.isAlive()) await this.rejoin(member, session);
    }
  }

  private async rejoin(member: EmbeddedSubscription, session: SessionIdentity): Promise<void> {
    member.evicted();
    await this.enter(member, session);
    this.othersLook();
  }

  private async enter(member: EmbeddedSubscription, session: SessionIdentity): Promise<void> {
    const asked = performance.now();
    await this.store.join(member.membership, session);
    member.leaseGranted(asked);
  }
}
