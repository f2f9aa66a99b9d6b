/** An event as a handler sees it: who it is about, where it came from, what it says. */
export interface Message<Payload = unknown> {
  /** `ce_id`, UUIDv7; the same on every redelivery, retry and replay. */
  readonly id: string;
  readonly type: string;
  /** `/ragmesh/<service>` that published it. */
  readonly source: string;
  /** Id of the aggregate it is about; also the record's key. */
  readonly subject: string;
  readonly tenant: string;
  /** Who did what it tells of: a user, a key, or a service of its own accord. */
  readonly actor: string;
  /** Stays the same from the request that began it all. */
  readonly correlationId: string;
  /** Id of the event that caused this one; absent at the start of a chain. */
  readonly causationId?: string;
  readonly time: Date;
  readonly payload: Payload;
}
