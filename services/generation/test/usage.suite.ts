import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { expect, it } from '@jest/globals';
import { catalogue, generationV1 } from '@ragmesh/contracts';
import { createGrpcClient } from '@ragmesh/grpc';
import { eventually } from '@ragmesh/testing';
import type { GenerationRig } from './generation-rig.js';
import { samplesOf } from './metric-samples.js';
import { answering, type ScriptedUpstream } from './scripted-upstream.js';

interface Parts {
  readonly rig: GenerationRig;
  readonly upstream: ScriptedUpstream;
  /** Asks a question of the first service. */
  readonly answer: (request: { readonly model?: string }, tenant: string) => Promise<unknown>;
}

/** What answers took, as it is told. */
export function describeUsage(parts: () => Parts): void {
  it('adds up tokens and cost by tenant, model and day', async () => {
    const { rig, upstream, answer } = parts();
    upstream.plays(answering('Much [1].'));
    await answer({}, 'usage-a');
    await answer({}, 'usage-a');
    await answer({ model: 'small' }, 'usage-a');
    await answer({}, 'usage-b');
    const usage = createGrpcClient(generationV1.UsageService, rig.addresses[0]!);
    await rig.as('usage-a', async () => {
      expect((await usage.reportUsage({ groupBy: ['model'] })).rows).toMatchObject([
        { tenant: '', model: 'big', requests: 2n, promptTokens: 200n, completionTokens: 40n, cost: 2 * (140 / 1e6) },
        { model: 'small', requests: 1n, promptTokens: 100n, completionTokens: 20n },
      ]);
      const { rows } = await usage.reportUsage({ groupBy: ['tenant', 'day'], allTenants: true });
      const today = new Date().toISOString().slice(0, 10);
      expect(rows).toContainEqual(expect.objectContaining({ tenant: 'usage-a', day: today, requests: 3n }));
      expect(rows.length).toBeGreaterThan(1);
      const begun = Date.parse(`${today}T00:00:00Z`);
      const until = async (ms: number) =>
        (await usage.reportUsage({ groupBy: ['day'], until: timestampFromDate(new Date(ms)) })).rows;
      expect(await until(begun)).toEqual([]); // the end is not included
      expect(await until(begun + 1)).toMatchObject([{ day: today, requests: 3n }]);
      await expect(usage.reportUsage({ groupBy: ['hour'] })).rejects.toMatchObject({ details: { field: 'group_by' } });
    });
    await rig.as('usage-many', async () => {
      await rig.query(`
        INSERT INTO llm_usage SELECT 'usage-many', 'm' || n, current_date, 1, 1, 1, 0, 0 FROM generate_series(1, 50001) n`);
      expect((await usage.reportUsage({ groupBy: ['day'] })).rows).toMatchObject([{ requests: 50_001n }]);
      await expect(usage.reportUsage({ groupBy: ['model', 'day'] })).rejects.toMatchObject({
        code: 'REQUEST.INVALID',
        details: { field: 'since', limit: 50_000 },
      });
      await rig.query(`DELETE FROM llm_usage WHERE tenant = 'usage-many' AND model = 'm1'`);
      expect((await usage.reportUsage({ groupBy: ['model', 'day'] })).rows).toHaveLength(50_000);
      await rig.query(`DELETE FROM llm_usage WHERE tenant = 'usage-many'`);
    });
    await rig.as('usage-nobody', async () => {
      expect((await usage.reportUsage({ groupBy: ['tenant'] })).rows).toEqual([]);
    });
    usage.close();
    expect(await samplesOf('ragmesh_llm_tokens_total')).toMatchObject({
      '{tenant="usage-a",model="big",kind="prompt"}': 200,
      '{tenant="usage-a",model="big",kind="completion"}': 40,
      '{tenant="usage-a",model="small",kind="prompt"}': 100,
      '{tenant="usage-b",model="big",kind="prompt"}': 100,
    });
    const cost = await samplesOf('ragmesh_llm_cost_dollars_total');
    expect(cost['{tenant="usage-a",model="big"}']).toBeCloseTo(2 * (140 / 1e6), 9);
    expect(cost['{tenant="usage-a",model="small"}']).toBeUndefined(); // it has no price
  });

  it('has what a provider charged for chunks beside answers, once however often it is told', async () => {
    const { rig } = parts();
    const tell = (tokens: bigint, times: number) =>
      rig.tell('usage-chunks', catalogue.embeddingCompleted, { model: 'vectors', tokens }, times);
    await tell(1_000n, 3);
    await tell(24n, 1); // behind the others, so that they are over when it is there
    const usage = createGrpcClient(generationV1.UsageService, rig.addresses[0]!);
    const rows = await rig.as('usage-chunks', () =>
      eventually('all is told', async () => {
        const report = await usage.reportUsage({ groupBy: ['tenant', 'model'] });
        return report.rows.some(({ promptTokens }) => promptTokens % 1_000n === 24n) ? report.rows : undefined;
      }),
    );
    usage.close();
    const sum = { requests: 2n, promptTokens: 1_024n, completionTokens: 0n, cost: expect.closeTo(3_072 / 1e6, 9) };
    expect(rows).toEqual([expect.objectContaining({ tenant: 'usage-chunks', model: 'vectors', ...sum })]);
    const cost = await samplesOf('ragmesh_llm_cost_dollars_total');
    expect(cost['{tenant="usage-chunks",model="vectors"}']).toBeCloseTo(3_072 / 1e6, 9);
  });
}
