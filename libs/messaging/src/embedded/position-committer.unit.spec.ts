import { expect, it } from '@jest/globals';
import type { Claim, GroupStore } from './group-store.js';
import { PositionCommitter } from './position-committer.js';

it('positions that could not be stored are stored with the next write, unless a later one was given meanwhile', async () => {
  const stored: [number, number][] = [];
  let isAway = true;
  const commit = async (_: string, __: string, claims: readonly Claim[]): Promise<void> => {
    if (isAway) throw new Error('away');
    stored.push(...claims.map(({ partitionId, offset }): [number, number] => [partitionId, offset]));
  };
  const committer = new PositionCommitter({ commit } as unknown as GroupStore, 'spec');
  const claim = (partitionId: number, offset: number): Claim =>
    ({ partitionId, offset, member: 'm', generation: 1, keep: true }) as unknown as Claim;
  await expect(committer.commit([claim(1, 7), claim(2, 3)])).rejects.toThrow('away');
  isAway = false;
  await committer.commit([claim(2, 4)]);
  expect(stored.toSorted(([a], [b]) => a - b)).toEqual([
    [1, 7],
    [2, 4],
  ]);
});
