import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { generationV1 } from '@ragmesh/contracts';
import { createGrpcClient } from '@ragmesh/grpc';
import type { GenerationRig } from './generation-rig.js';
import { type ScriptedUpstream, refusing } from './scripted-upstream.js';
import { writeTinyChatModel } from './tiny-chat-model.js';

const text = 'An otter sleeps on its back.';
const source = { id: 'd:1:0', documentId: 'd', version: 1n, score: 1, text, start: 0, end: text.length };
const further = JSON.stringify([{ name: 'here', models: ['tiny'], backend: 'local' }]);

/** APP_LLM_BACKEND=local, and a provider of that kind behind another one. */
export function describeLocalProvider(of: () => { rig: GenerationRig; upstream: ScriptedUpstream }): void {
  describe('with a model in its own process', () => {
    it.each<[string, Record<string, string>, boolean]>([
      ['is the only provider', { APP_LLM_BACKEND: 'local', LM_MODEL: 'tiny' }, false],
      [
        'comes after a provider that fails',
        { APP_LLM_BACKEND: 'openai', LM_MODEL: 'big', LLM_FURTHER_PROVIDERS: further },
        true,
      ],
    ])('has it answer where it %s', async (_, environment, fallbackUsed) => {
      const { rig, upstream } = of();
      upstream.plays(refusing(400));
      const models = join(rig.folder, 'models');
      await writeTinyChatModel(join(models, 'tiny'));
      const address = await rig.service({ OPENAI_BASE_URL: upstream.url, RAGMESH_MODELS_DIR: models, ...environment });
      const client = createGrpcClient(generationV1.GenerationService, address);
      let said = '';
      let completed: generationV1.Completed | undefined;
      await rig.as('acme', async () => {
        for await (const { event } of client.generate({ question: 'How do otters sleep?', sources: [source] })) {
          if (event.case === 'delta') said += event.value;
          if (event.case === 'completed') completed = event.value;
        }
      });
      client.close();
      expect(said).toMatch(/otter\s*sleeps/);
      const degraded = fallbackUsed ? ['llm'] : [];
      expect(completed).toMatchObject({ model: 'tiny', fallbackUsed, degraded, incomplete: false });
      expect(completed!.usage!.completionTokens).toBeGreaterThan(0);
      expect(upstream.seen).toHaveLength(fallbackUsed ? 1 : 0);
    });
  });
}
