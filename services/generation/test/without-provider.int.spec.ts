import type { MessageInitShape } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generationV1 } from '@ragmesh/contracts';
import { createGrpcClient, type GrpcClient } from '@ragmesh/grpc';
import { GenerationRig } from './generation-rig.js';

const text = 'Peat bogs cover three percent of the land.\nThey store twice as much carbon as all forests.';
const source = { id: 'd:1:0', documentId: 'd', version: 1n, score: 1, text, start: 100, end: 100 + text.length };
const question = 'How much carbon do peat bogs store?';
type Request = MessageInitShape<typeof generationV1.GenerateRequestSchema>;
type Event = generationV1.GenerateResponse['event'];

describe('generation without a provider', () => {
  let rig: GenerationRig;
  let plain: GrpcClient<typeof generationV1.GenerationService>;
  beforeAll(async () => {
    rig = await GenerationRig.start();
    plain = createGrpcClient(generationV1.GenerationService, await rig.service({}));
  });
  afterAll(async () => {
    plain?.close();
    await rig?.close();
  });

  const collect = (request: Request) =>
    rig.as('acme', async () => {
      const events: Event[] = [];
      for await (const { event } of plain.generate({ question, sources: [source], ...request })) events.push(event);
      return events;
    });

  it('streams sentences with the quotes behind them, then what it took', async () => {
    const events = await collect({ maxTokens: 8_192 });
    const citations = events.flatMap((event) => (event.case === 'citation' ? [event.value] : []));
    expect(events[0]!.case).toBe('delta');
    expect(citations.map((citation) => citation.text)).toContain('They store twice as much carbon as all forests.');
    for (const { index, start, end, text: quoted } of citations) {
      expect(index).toBe(1);
      expect(text.slice(start - 100, end - 100)).toBe(quoted);
    }
    const completed = { model: 'extractive', degraded: [], usage: { promptTokens: 0, completionTokens: 0 } };
    expect(events.at(-1)).toMatchObject({ case: 'completed', value: { ...completed, fallbackUsed: false } });
  });

  it('says that the model that was named did not answer', async () => {
    const done = async (model: string) => (await collect({ model })).at(-1)!.value;
    expect(await done('gpt-4')).toMatchObject({ model: 'extractive', degraded: ['llm'], fallbackUsed: true });
    expect(await done('extractive')).toMatchObject({ degraded: [], fallbackUsed: false });
    const unasked = (await collect({ model: 'gpt-4', sources: [] })).at(-1)!.value; // nobody would have been asked
    expect(unasked).toMatchObject({ degraded: [], fallbackUsed: false });
  });

  it('quotes no more than the tokens that were asked for, in whole sentences while one fits', async () => {
    const asked = async (maxTokens: number) => {
      const events = await collect({ question: 'How many peat bogs store how much carbon?', maxTokens });
      const said = events.map((event) => (event.case === 'delta' ? event.value : '')).join('');
      const cited = events.filter((event) => event.case === 'citation').length;
      return [said, cited, (events.at(-1)!.value as generationV1.Completed).incomplete];
    };
    const [bogs, carbon] = ['Peat bogs cover three percent of the land. [1]', `${text.split('\n')[1]} [1]`];
    expect(await asked(100)).toEqual([`${bogs} ${carbon}`, 2, false]);
    expect(await asked(15)).toEqual([bogs, 1, true]);
    expect(await asked(4)).toEqual(['Peat bogs cover', 0, true]);
    expect(await asked(1)).toEqual(['Peat', 0, true]);
  });

  it('remembers what it quoted, also when its reader wanted no more of it', async () => {
    const events = await collect({ conversationId: 'brief', maxTokens: 4 });
    const said = events.map((event) => (event.case === 'delta' ? event.value : '')).join('');
    expect(events.at(-1)).toMatchObject({ value: { incomplete: true, degraded: [], conversationId: 'brief' } });
    const memory = createGrpcClient(generationV1.ConversationService, rig.addresses[0]!);
    const { messages } = await rig.as('acme', () => memory.getConversation({ id: 'brief' }));
    memory.close();
    expect(messages.map((message) => message.text)).toEqual([question, said]);
  });

  it('ends what it quotes before a stop sequence, with what is cited until there', async () => {
    const events = await collect({ stop: ['forests', ' carbon'], maxTokens: 100 });
    const cited = events.flatMap((event) => (event.case === 'citation' ? [event.value.text] : []));
    const said = events.map((event) => (event.case === 'delta' ? event.value : '')).join('');
    expect(said).toBe('Peat bogs cover three percent of the land. [1] They store twice as much');
    expect(cited).toEqual(['Peat bogs cover three percent of the land.']); // both sentences are of one source
    expect(events.at(-1)).toMatchObject({ case: 'completed', value: { incomplete: false } });
  });

  it('says that nothing was made of how to answer', async () => {
    const done = (await collect({ instructions: 'Be brief.' })).at(-1)!.value;
    expect(done).toMatchObject({ model: 'extractive', degraded: ['instructions'] });
  });

  it.each([
    ['without sources', [], ''],
    ['of a source with nothing to ask about', [{ ...source, text: 'Yes. No.', end: 108 }], ''],
    ['by a model that is not there, and says both', [{ ...source, text: 'Yes. No.', end: 108 }], 'gpt-4'],
  ])('makes no questions %s', async (_what, sources, model) => {
    const writer = createGrpcClient(generationV1.QuestionService, rig.addresses[0]!);
    const order = { sources, count: 5, mode: 'practice', model };
    const set = await rig.as('acme', () => writer.writeQuestions(order));
    writer.close();
    expect(set).toMatchObject({ questions: [], degraded: [...(model === '' ? [] : ['llm']), 'questions'] });
  });

  it('says that the sources do not answer, in the language of the question', async () => {
    const [first] = await collect({ question: 'Wer gewann die Wahl?' });
    expect(first).toEqual({ case: 'delta', value: 'Die Quellen beantworten diese Frage nicht.' });
  });

  it('has no models to name and refuses what needs one', async () => {
    await rig.as('acme', async () => {
      expect(await plain.listLanguageModels({})).toMatchObject({ models: [] });
      const writer = createGrpcClient(generationV1.QueryWritingService, rig.addresses[0]!);
      // The first question of a conversation stands alone as it is.
      expect(await writer.condense({ question, conversationId: 'begun-just-now' })).toMatchObject({ question });
      for (const call of [
        writer.paraphrase({ question, count: 2 }),
        writer.hypothesise({ question }),
        writer.gradePassages({ question, passages: [text] }),
        writer.verifyAnswer({ question, answer: 'x', passages: [text] }),
      ])
        await expect(call).rejects.toMatchObject({ code: 'GENERATION.NO_PROVIDER' });
      writer.close();
    });
  });
});
