import { expect, it } from '@jest/globals';
import { loadConfig } from '@ragmesh/config';
import { RagmeshError } from '@ragmesh/errors';
import { createLogger } from '@ragmesh/observability';
import { embeddingConfig } from '../embedding.config.js';
import { Embedders } from './embedders.js';
import { ModelMemory } from './model-memory.js';
import type { ModelRegistry } from './model-registry.js';

it('a caller is not told that he went away when somebody else gave up loading the model he names', async () => {
  const resolve = (_name: string, signal: AbortSignal) =>
    new Promise((_, reject) => {
      const gone = new RagmeshError('REQUEST.CANCELLED', 'The caller went away.');
      signal.addEventListener('abort', () => reject(gone), { once: true });
    });
  const config = loadConfig(embeddingConfig, {});
  const logger = createLogger('embedding', 'silent');
  const memory = new ModelMemory({ resolve } as unknown as ModelRegistry, config, logger);
  const other = new AbortController();
  memory.load('other@1', { signal: other.signal, localOnly: true }).catch(() => undefined);
  const patience = { signal: new AbortController().signal };
  const using = new Embedders(memory, config).useNamed('other@1', patience, () => Promise.resolve());
  other.abort();
  await expect(using).rejects.toMatchObject({
    code: 'EMBEDDING.UNAVAILABLE',
    retry: 'transient',
    details: { reason: 'REQUEST.CANCELLED' },
  });
});
