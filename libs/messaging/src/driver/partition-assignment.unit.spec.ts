import { describe, expect, it } from '@jest/globals';
import { assignPartitions, type AssignablePartition } from './partition-assignment.js';

const member = (id: string, topics = ['t']) => ({ id, topics });
const partitions = (
  count: number,
  owner: (index: number) => string | null = () => null,
  topic = 't',
  first = 0,
): AssignablePartition[] =>
  Array.from({ length: count }, (_, index) => ({ id: first + index, topic, owner: owner(index) }));
const sizes = (assignment: Map<number, string | null>) =>
  Object.fromEntries([...Map.groupBy(assignment, ([, owner]) => owner)].map(([owner, held]) => [owner, held.length]));

describe('assignPartitions', () => {
  it('gives a lone member everything', () => {
    expect(sizes(assignPartitions([member('a')], partitions(6)))).toEqual({ a: 6 });
  });

  it('spreads evenly and moves no more than it must when a member joins', () => {
    const assignment = assignPartitions(
      [member('a'), member('b')],
      partitions(6, () => 'a'),
    );
    expect(sizes(assignment)).toEqual({ a: 3, b: 3 });
    expect([...assignment].filter(([, owner]) => owner === 'a').map(([id]) => id)).toEqual([0, 1, 2]);
  });

  it('leaves what the others hold in place when a member leaves', () => {
    const before = (index: number) => ['a', 'b', 'c'][index % 3]!;
    const assignment = assignPartitions([member('a'), member('b')], partitions(6, before));
    expect(sizes(assignment)).toEqual({ a: 3, b: 3 });
    for (const [id, owner] of assignment) if (before(id) !== 'c') expect(owner).toBe(before(id));
  });

  it('balances topics of one partition over the members', () => {
    const many = Array.from({ length: 6 }, (_, index) => partitions(1, undefined, `t${index}`, index)).flat();
    const topics = many.map(({ topic }) => topic);
    expect(sizes(assignPartitions([member('a', topics), member('b', topics)], many))).toEqual({ a: 3, b: 3 });
  });

  it('assigns a topic to its subscribers only, and to nobody without one', () => {
    const all = [...partitions(2, undefined, 'x'), ...partitions(2, undefined, 'y', 2)];
    const assignment = assignPartitions([member('a', ['x'])], all);
    expect([...assignment.values()]).toEqual(['a', 'a', null, null]);
  });

  it('gives the same answer in whatever order the members are listed', () => {
    const members = [member('c'), member('a'), member('b')];
    const [one, other] = [members, members.toReversed()].map((list) => assignPartitions(list, partitions(7)));
    expect(one).toEqual(other);
  });
});
