import { PeriodicTask } from '@ragmesh/resilience';
import type { BusDatabase } from './bus-database.js';
import type { RetentionOptions } from './embedded-bus-options.js';

const BATCH = 5_000;

// Only a run of records from the head of a partition goes, so that offsets stay without gaps up to the last one.
const SWEEP = `
  with leader as materialized (select pg_try_advisory_xact_lock(hashtext('ragmesh.bus.retention')) as ok),
  relaxed as materialized (select set_config('synchronous_commit', 'off', true)),
  head as (
    select p.id, t.retention_ms, first.record_offset as first,
      case when $1 then (select min(c.next_offset) from bus.claim c where c.partition_id = p.id) end as consumed
    from leader, relaxed, bus.topic_partition p join bus.topic t on t.name = p.topic
    cross join lateral (
      select r.record_offset from bus.record r where r.partition_id = p.id order by r.record_offset limit 1) first
    where leader.ok and starts_with(p.topic, $4)),
  doomed as (
    select h.id, h.first, (
      select max(r.record_offset) from bus.record r
      where r.partition_id = h.id and r.record_offset >= h.first and r.record_offset < h.first + $3
        and (r.written_at < clock_timestamp() - h.retention_ms * interval '1 ms'
          or (r.record_offset < h.consumed and r.written_at < clock_timestamp() - $2 * interval '1 ms'))) as last
    from head h),
  removed as (
    delete from bus.record r using doomed d
    where r.partition_id = d.id and r.record_offset between d.first and d.last returning r.partition_id)
  select coalesce(max(records), 0)::int as most
  from (select count(*) as records from removed group by partition_id) counted`;

/** Removes in the background what nobody needs any more: one process at a time, a bounded number of records each. */
export class RetentionSweeper {
  private readonly rounds: PeriodicTask;

  constructor(
    private readonly database: BusDatabase,
    private readonly prefix: string,
    private readonly options: Required<RetentionOptions>,
    failed: (error: unknown) => void,
  ) {
    this.rounds = new PeriodicTask((closing) => this.sweep(closing).catch(failed), options.intervalMs);
  }

  start(): void {
    this.rounds.start();
  }

  close(): Promise<void> {
    return this.rounds.stop();
  }

  private async sweep(closing: AbortSignal): Promise<void> {
    for (let most = BATCH; most === BATCH && !closing.aborted;) {
      const parameters = [this.options.removeConsumed, this.options.graceMs, BATCH, this.prefix];
      const [row] = await this.database.query<{ most: number }>(SWEEP, parameters);
      most = row!.most;
    }
  }
}
