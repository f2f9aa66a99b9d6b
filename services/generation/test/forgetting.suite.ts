import type { MessageInitShape } from '@bufbuild/protobuf';
import { expect, it } from '@jest/globals';
import { catalogue, generationV1 } from '@ragmesh/contracts';
import type { GrpcClient } from '@ragmesh/grpc';
import { eventually } from '@ragmesh/testing';
import type { GenerationRig } from './generation-rig.js';
import { answering, refusing, silent, type ScriptedUpstream } from './scripted-upstream.js';

interface Answering {
  readonly rig: GenerationRig;
  readonly upstream: ScriptedUpstream;
  readonly client: GrpcClient<typeof generationV1.GenerationService>;
  readonly answer: (
    request: MessageInitShape<typeof generationV1.GenerateRequestSchema>,
    tenant?: string,
  ) => Promise<{ readonly completed: generationV1.Completed }>;
}

/** Answers that were kept for the time when every model fails, and are no longer. */
export function describeForgetting(of: () => Answering): void {
  const text = 'Peat bogs cover three percent of the land.';
  const source = { id: 'd:1:0', documentId: 'd', version: 1n, score: 1, text, start: 0, end: text.length };

  it('holds none that was made from a document that is deleted, nor one that was being written meanwhile', async () => {
    const { rig, upstream, answer } = of();
    const asked = (documentId: string, about = 'How deep is the peat?') => ({
      question: about,
      sources: [{ ...source, id: `${documentId}:1:0`, documentId }],
    });
    const given = async (...[id, about]: Parameters<typeof asked>) => (await answer(asked(id, about))).completed.model;
    upstream.plays(answering('Deep [1].'));
    for (const id of ['gone', 'stays']) await answer(asked(id));
    await answer(asked('gone'), 'other');
    upstream.plays(silent(), refusing(400));
    const late = answer(asked('gone', 'How wet is the peat?'));
    const held = await eventually('the late one is asked for', () => upstream.seen[0]);
    expect(await given('gone')).toBe('big');
    await rig.tell('acme', catalogue.documentDeleted, { documentId: 'gone', collection: 'moors', version: 1n });
    await eventually('it is forgotten', async () => (await given('gone')) === 'extractive');
    await answering('Wet [1].')(held);
    expect((await late).completed.model).toBe('big');
    expect(await given('gone', 'How wet is the peat?')).toBe('extractive');
    expect(await given('stays')).toBe('big');
    expect((await answer(asked('gone'), 'other')).completed.model).toBe('big');
  });

  it('gives none of a collection, or of a tenant, that was cleared', async () => {
    const { rig, upstream, client, answer } = of();
    const asked = { question: 'How old is the peat?' };
    const places = [
      { ...asked, collection: 'moors' },
      { ...asked, collection: 'fens', sources: [{ ...source, version: 3n }] },
    ];
    upstream.plays(answering('Old [1].'));
    for (const place of places) for (const tenant of ['acme', 'other']) await answer(place, tenant);
    upstream.plays(refusing(400));
    const given = async (tenant = 'acme') => {
      const answers = await Promise.all(places.map((place) => answer(place, tenant)));
      return answers.map(({ completed }) => completed.model);
    };
    expect(await given()).toEqual(['big', 'big']);
    await rig.as('acme', () => client.clearAnswers({ collection: 'moors' }));
    expect(await given()).toEqual(['extractive', 'big']);
    await rig.as('acme', () => client.clearAnswers({}));
    expect(await given()).toEqual(['extractive', 'extractive']);
    expect(await given('other')).toEqual(['big', 'big']);
  });
}
