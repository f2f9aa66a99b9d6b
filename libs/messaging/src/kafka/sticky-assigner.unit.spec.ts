import { describe, expect, it } from '@jest/globals';
import kafkajs, { type Cluster, type Logger } from 'kafkajs';
import { stickyAssigner, type Holding } from './sticky-assigner.js';

const protocol = kafkajs.AssignerProtocol;
const counts: Record<string, number> = { old: 4, new: 2 };

/** The group's leader, which learns about topics from its cluster once it has asked for them. */
function leader() {
  const asked = new Set<string>();
  const cluster = {
    addMultipleTargetTopics: async (topics: string[]) => topics.forEach((topic) => asked.add(topic)),
    findTopicPartitionMetadata: (topic: string) => (asked.has(topic) ? Array(counts[topic]).fill({}) : []),
  } as unknown as Cluster;
  return (holding: Holding) =>
    stickyAssigner(protocol, () => holding)({ cluster, groupId: 'group', logger: {} as Logger });
}

const none: Holding = { memberId: undefined, partitions: [] };
const held = (memberId: string, ...partitions: number[]): Holding => ({
  memberId,
  partitions: partitions.map((partition) => ({ topic: 'old', partition })),
});

async function assign(members: Record<string, { topics: string[]; holding: Holding }>) {
  const assigner = leader();
  const answers = await assigner(none).assign({
    topics: [],
    members: Object.entries(members).map(([memberId, { topics, holding }]) => ({
      memberId,
      memberMetadata: assigner(holding).protocol({ topics }).metadata,
    })),
  });
  return Object.fromEntries(
    answers.map(({ memberId, memberAssignment }) => [
      memberId,
      protocol.MemberAssignment.decode(memberAssignment)!.assignment,
    ]),
  );
}

describe('stickyAssigner', () => {
  it('spreads partitions evenly and moves no more than it takes', async () => {
    const before = { topics: ['old'], holding: held('b', 0, 1, 2, 3) };
    const shares = await assign({ a: { topics: ['old'], holding: none }, b: before });
    expect(shares).toEqual({ a: { old: [2, 3] }, b: { old: [0, 1] } });
  });

  it('gives nothing for what a member believes to hold under an earlier name', async () => {
    const frozen = { topics: ['old'], holding: held('its-old-name', 0, 1, 2, 3) };
    const heir = { topics: ['old'], holding: held('z', 0, 1) };
    const shares = await assign({ a: frozen, z: heir });
    expect(shares.z).toEqual({ old: [0, 1] });
  });

  it('lets members of a newer release read their new topics although an older one leads', async () => {
    const shares = await assign({
      older: { topics: ['old'], holding: none },
      newer: { topics: ['old', 'new'], holding: none },
    });
    expect(shares.newer).toMatchObject({ new: [0, 1] });
    expect(shares.older).toEqual({ old: expect.any(Array) });
  });

  it('leaves a member without partitions in the group when there are more members than partitions', async () => {
    const shares = await assign({
      a: { topics: ['new'], holding: none },
      b: { topics: ['new'], holding: none },
      c: { topics: ['new'], holding: none },
    });
    expect(Object.values(shares).filter((share) => Object.keys(share).length === 0)).toHaveLength(1);
  });
});
