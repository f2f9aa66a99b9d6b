export interface AssignableMember {
  readonly id: string;
  readonly topics: readonly string[];
}

export interface AssignablePartition {
  readonly id: number;
  readonly topic: string;
  /** The member that has it now, if any. */
  readonly owner: string | null;
}

/**
 * Who reads what: each topic's partitions are spread evenly over the members that subscribe to it, and stay where they
 * are as far as that allows. The same input gives the same answer to everyone. Null where nobody subscribes.
 */
export function assignPartitions(
  members: readonly AssignableMember[],
  partitions: readonly AssignablePartition[],
): Map<number, string | null> {
  const assignment = new Map<number, string | null>();
  const load = new Map(members.map(({ id }) => [id, 0]));
  const topics = Map.groupBy(partitions, ({ topic }) => topic);
  for (const topic of [...topics.keys()].sort()) {
    const eligible = members.filter((member) => member.topics.includes(topic)).map(({ id }) => id);
    for (const [partition, member] of assignTopic(topics.get(topic)!, eligible, load)) {
      assignment.set(partition, member);
      if (member !== null) load.set(member, load.get(member)! + 1);
    }
  }
  return assignment;
}

function assignTopic(
  partitions: readonly AssignablePartition[],
  members: readonly string[],
  load: Map<string, number>,
) {
  const ordered = partitions.toSorted((a, b) => a.id - b.id);
  if (members.length === 0) return ordered.map(({ id }) => [id, null] as const);
  const room = quotas(ordered, members, load);
  const kept = new Set<number>();
  for (const { id, owner } of ordered) {
    if (owner === null || !room.get(owner)) continue;
    room.set(owner, room.get(owner)! - 1);
    kept.add(id);
  }
  const vacant = [...room].flatMap(([member, places]) => Array<string>(places).fill(member));
  return ordered.map(({ id, owner }) => [id, kept.has(id) ? owner : vacant.shift()!] as const);
}

/** How many partitions each member gets; the rest of an uneven division goes to the least loaded. */
function quotas(partitions: readonly AssignablePartition[], members: readonly string[], load: Map<string, number>) {
  const held = (member: string) => partitions.filter(({ owner }) => owner === member).length;
  const rank = (a: string, b: string) => load.get(a)! - load.get(b)! || held(b) - held(a) || (a < b ? -1 : 1);
  const share = Math.floor(partitions.length / members.length);
  const rest = partitions.length % members.length;
  return new Map(members.toSorted(rank).map((member, index) => [member, share + (index < rest ? 1 : 0)]));
}
