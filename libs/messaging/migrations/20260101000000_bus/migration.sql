create schema if not exists bus;

create table bus.topic (
  name text primary key,
  partitions integer not null check (partitions > 0),
  retention_ms bigint not null
);

-- The row lock on next_offset is held until commit, which makes commit order and offset order the same.
create table bus.topic_partition (
  id integer generated always as identity primary key,
  topic text not null references bus.topic (name),
  partition integer not null,
  next_offset bigint not null default 0,
  unique (topic, partition)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

create table bus.record (
  partition_id integer not null,
  record_offset bigint not null,
  written_at timestamptz not null,
  key bytea not null,
  headers bytea not null,
  value bytea not null,
  primary key (partition_id, record_offset)
) with (autovacuum_vacuum_scale_factor = 0.05);
-- Payloads are mostly vectors and compressed formats: compressing them again costs time and saves nothing.
alter table bus.record alter column value set storage external;

create table bus.consumer_group (name text primary key);

create table bus.group_member (
  id uuid primary key,
  group_name text not null references bus.consumer_group (name),
  topics text[] not null,
  lease_until timestamptz not null,
  session_pid integer not null,
  session_started timestamptz not null
) with (fillfactor = 50);

-- owner: who reads the partition now. assigned_to: who shall read it once the owner has let go.
-- generation counts owners, so that a former one cannot move the position any more.
create table bus.claim (
  group_name text not null references bus.consumer_group (name),
  partition_id integer not null references bus.topic_partition (id),
  assigned_to uuid,
  owner uuid,
  generation bigint not null default 0,
  next_offset bigint not null default 0,
  primary key (group_name, partition_id)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
create index claim_by_partition on bus.claim (partition_id);

-- A member lives while its lease does. One whose session is gone has crashed and need not be waited for, except just
-- after a start of the server, when every session is gone and members are on their way back.
create view bus.live_member as
select m.id, m.group_name, m.topics
from bus.group_member m
where m.lease_until > clock_timestamp()
  and (
    pg_postmaster_start_time() > clock_timestamp() - interval '3 seconds'
    or exists (
      select from pg_stat_activity s where s.pid = m.session_pid and s.backend_start = m.session_started
    )
  );
