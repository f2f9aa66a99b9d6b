import type { AssignerProtocol, GroupMember, GroupMemberAssignment, PartitionAssigner } from 'kafkajs';
import type { TopicPartition } from '../driver/bus-driver.js';
import { assignPartitions, type AssignableMember, type AssignablePartition } from '../driver/partition-assignment.js';

const NAME = 'ragmesh-sticky';
const VERSION = 1;

/** What a member has when it joins anew, and the name it got it under. Topics are named as in the cluster. */
export interface Holding {
  readonly memberId: string | undefined;
  readonly partitions: readonly TopicPartition[];
}

type Protocol = typeof AssignerProtocol;

/**
 * Spreads each topic evenly over the members that subscribe to it and leaves partitions where they are as far as that
 * allows. kafkajs itself deals them anew in every rebalance, by the leader's topics only: handlers would be interrupted for
 * nothing, and during an upgrade topics that only newer members know would be read by nobody.
 */
export function stickyAssigner(protocol: Protocol, holding: () => Holding): PartitionAssigner {
  return ({ cluster }) => ({
    name: NAME,
    version: VERSION,
    protocol: ({ topics }) => {
      const userData = Buffer.from(JSON.stringify(holding()));
      return { name: NAME, metadata: protocol.MemberMetadata.encode({ version: VERSION, topics, userData }) };
    },
    async assign({ members }) {
      const applicants = members.map((member) => readApplicant(protocol, member));
      const topics = [...new Set(applicants.flatMap((applicant) => applicant.topics))];
      await cluster.addMultipleTargetTopics(topics);
      const count = (topic: string) => cluster.findTopicPartitionMetadata(topic).length;
      return encode(protocol, applicants, distribute(applicants, topics, count));
    },
  });
}

interface Applicant extends AssignableMember {
  readonly held: readonly TopicPartition[];
}

function readApplicant({ MemberMetadata }: Protocol, { memberId, memberMetadata }: GroupMember): Applicant {
  const { topics = [], userData } = MemberMetadata.decode(memberMetadata) ?? {};
  const { memberId: heldAs, partitions } = readHolding(String(userData));
  // Whoever had to take another name was away meanwhile, and others may have what it believes to hold.
  return { id: memberId, topics, held: heldAs === memberId ? partitions : [] };
}

/** kafkajs ends a consumer for good over a SyntaxError, so what cannot be read counts as nothing. */
function readHolding(text: string): Holding {
  try {
    return JSON.parse(text) as Holding;
  } catch {
    return { memberId: undefined, partitions: [] };
  }
}

function distribute(applicants: readonly Applicant[], topics: readonly string[], count: (topic: string) => number) {
  const owners = new Map(
    applicants.flatMap(({ id, held }) => held.map(({ topic, partition }) => [`${topic}/${partition}`, id] as const)),
  );
  const places: TopicPartition[] = topics.flatMap((topic) =>
    Array.from({ length: count(topic) }, (_, partition) => ({ topic, partition })),
  );
  const partitions = places.map(({ topic, partition }, id): AssignablePartition => {
    return { id, topic, owner: owners.get(`${topic}/${partition}`) ?? null };
  });
  const shares = new Map<string, Record<string, number[]>>(applicants.map(({ id }) => [id, {}]));
  for (const [place, member] of assignPartitions(applicants, partitions)) {
    if (member === null) continue;
    const { topic, partition } = places[place]!;
    (shares.get(member)![topic] ??= []).push(partition);
  }
  return shares;
}

const encode = (
  { MemberAssignment }: Protocol,
  applicants: readonly Applicant[],
  shares: ReadonlyMap<string, Record<string, number[]>>,
): GroupMemberAssignment[] =>
  applicants.map(({ id }) => {
    const assignment = { version: VERSION, assignment: shares.get(id)!, userData: Buffer.alloc(0) };
    return { memberId: id, memberAssignment: MemberAssignment.encode(assignment) };
  });
