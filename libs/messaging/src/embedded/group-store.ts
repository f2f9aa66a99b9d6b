import { assignPartitions, type AssignablePartition } from '../driver/partition-assignment.js';
import type { BusDatabase, RunStatement } from './bus-database.js';
import type { SessionIdentity } from './bus-signals.js';

/** A partition as a member holds it. The generation tells one holding from the next. */
export interface Claim {
  readonly partitionId: number;
  readonly member: string;
  readonly generation: number;
  /** The next record to read. */
  readonly offset: number;
  /** False once another member waits for it. */
  readonly keep: boolean;
}

export interface Membership {
  readonly id: string;
  readonly group: string;
  /** As stored, with the installation's prefix. */
  readonly topics: readonly string[];
}

const CLAIMS = `select partition_id as "partitionId", owner as member, generation, next_offset as offset,
    assigned_to is not distinct from owner as keep
  from bus.claim where group_name = any($1) and owner = any($2::uuid[])`;

// Rows are locked in one order everywhere, so that no two transactions wait for each other in a circle.
const COMMIT = `
  with relaxed as materialized (select set_config('synchronous_commit', 'off', true)),
  wanted as (select * from unnest($3::int[], $4::bigint[], $5::bigint[]) as w (id, generation, next_offset)),
  locked as (
    select c.partition_id as id, w.next_offset from bus.claim c join wanted w on w.id = c.partition_id, relaxed
    where c.group_name = $1 and c.owner = $2 and c.generation = w.generation
    order by c.partition_id for update of c)
  update bus.claim c set next_offset = l.next_offset from locked l
  where c.group_name = $1 and c.partition_id = l.id and c.owner = $2`;

/** Groups, members, claims and positions as they lie in the database; time is the database's. */
export class GroupStore {
  constructor(
    private readonly database: BusDatabase,
    private readonly leaseMs: number,
  ) {}

  async join(member: Membership, session: SessionIdentity): Promise<void> {
    await this.database.coordinate(async (run) => {
      await run('insert into bus.consumer_group (name) values ($1) on conflict do nothing', [member.group]);
      await lockGroup(run, member.group);
      await run(
        `insert into bus.group_member (id, group_name, topics, lease_until, session_pid, session_started)
         values ($1, $2, $3, clock_timestamp() + $4 * interval '1 ms', $5, $6::timestamptz)`,
        [member.id, member.group, member.topics, this.leaseMs, session.pid, session.started],
      );
      await rebalance(run, member.group);
    });
  }

  async leave(member: Membership): Promise<void> {
    await this.database.coordinate(async (run) => {
      await lockGroup(run, member.group);
      await run('delete from bus.group_member where id = $1', [member.id]);
      await run('update bus.claim set owner = null where group_name = $1 and owner = $2', [member.group, member.id]);
      await rebalance(run, member.group);
    });
  }

  /** Prolongs leases that have not run out; a member missing from the answer has lost everything it held. */
  async renew(ids: readonly string[], session: SessionIdentity): Promise<Set<string>> {
    const rows = await this.database.query<{ id: string }>(
      `update bus.group_member set lease_until = clock_timestamp() + $2 * interval '1 ms',
         session_pid = $3, session_started = $4::timestamptz
       where id = any($1::uuid[]) and lease_until > clock_timestamp() returning id`,
      [ids, this.leaseMs, session.pid, session.started],
    );
    return new Set(rows.map(({ id }) => id));
  }

  /** Gives the partitions of dead members to living ones; true when there were any. */
  async buryDead(groups: readonly string[]): Promise<boolean> {
    const rows = await this.database.query<{ name: string }>(
      `with live as materialized (select id from bus.live_member)
       select distinct group_name as name from bus.claim
       where group_name = any($1) and assigned_to is not null and assigned_to not in (select id from live)`,
      [groups],
    );
    for (const { name } of rows) {
      await this.database.coordinate(async (run) => {
        await lockGroup(run, name);
        await rebalance(run, name);
      });
    }
    return rows.length > 0;
  }

  /** Takes what is assigned to these members and free, then tells all they hold. */
  async claim(groups: readonly string[], members: readonly string[]): Promise<Claim[]> {
    await this.database.query(
      `with live as materialized (select id from bus.live_member)
       update bus.claim set owner = assigned_to, generation = generation + 1
       where group_name = any($1) and assigned_to = any($2::uuid[]) and owner is distinct from assigned_to
         and (owner is null or owner not in (select id from live))`,
      [groups, members],
    );
    const rows = await this.database.query<Claim & Record<string, unknown>>(CLAIMS, [groups, members]);
    return rows.map((row) => ({ ...row, generation: Number(row.generation), offset: Number(row.offset) }));
  }

  async release(group: string, claims: readonly Claim[]): Promise<void> {
    await this.database.query(
      `update bus.claim c set owner = null from unnest($2::int[], $3::uuid[], $4::bigint[]) as r (id, owner, generation)
       where c.group_name = $1 and c.partition_id = r.id and c.owner = r.owner and c.generation = r.generation`,
      [group, claims.map((c) => c.partitionId), claims.map((c) => c.member), claims.map((c) => c.generation)],
    );
  }

  /** Moves positions; one whose claim has another owner or generation by now stays as it is. */
  async commit(group: string, member: string, positions: readonly Claim[]): Promise<void> {
    const ids = positions.map(({ partitionId }) => partitionId);
    const values = [group, member, ids, positions.map((p) => p.generation), positions.map((p) => p.offset)];
    await this.database.query(COMMIT, values, 'bus.commit');
  }

  /** Records after the group's position and the age of the oldest in seconds, for these partitions. */
  lag(group: string, partitionIds: readonly number[]): Promise<{ id: number; records: number; seconds: number }[]> {
    return this.database.query(
      `select c.partition_id as id, coalesce(p.next_offset - oldest.record_offset, 0)::int as records,
         coalesce(greatest(extract(epoch from clock_timestamp() - oldest.written_at), 0), 0)::float8 as seconds
       from bus.claim c join bus.topic_partition p on p.id = c.partition_id
       left join lateral (
         select r.record_offset, r.written_at from bus.record r
         where r.partition_id = c.partition_id and r.record_offset >= c.next_offset
         order by r.record_offset limit 1) oldest on true
       where c.group_name = $1 and c.partition_id = any($2::int[]) order by c.partition_id`,
      [group, partitionIds],
    );
  }
}

async function lockGroup(run: RunStatement, group: string): Promise<void> {
  await run('select from bus.consumer_group where name = $1 for update', [group]);
}

/** Deletes dead members and assigns every partition anew. The group must be locked. */
async function rebalance(run: RunStatement, group: string): Promise<void> {
  await run(
    `delete from bus.group_member where group_name = $1
     and id not in (select id from bus.live_member where group_name = $1)`,
    [group],
  );
  const members = await run<{ id: string; topics: string[] }>(
    'select id, topics from bus.group_member where group_name = $1',
    [group],
  );
  const partitions = await run<AssignablePartition & Record<string, unknown>>(
    `select p.id, p.topic, c.owner from bus.topic_partition p
     left join bus.claim c on c.partition_id = p.id and c.group_name = $1
     where p.topic = any($2) or c.partition_id is not null`,
    [group, [...new Set(members.flatMap(({ topics }) => topics))]],
  );
  const assignment = [...assignPartitions(members, partitions)].toSorted(([a], [b]) => a - b);
  await run(
    `insert into bus.claim (group_name, partition_id, assigned_to)
     select $1, * from unnest($2::int[], $3::uuid[]) on conflict (group_name, partition_id)
     do update set assigned_to = excluded.assigned_to where claim.assigned_to is distinct from excluded.assigned_to`,
    [group, assignment.map(([id]) => id), assignment.map(([, member]) => member)],
  );
}
