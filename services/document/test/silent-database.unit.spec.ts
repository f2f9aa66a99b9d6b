import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { RagmeshError } from '@ragmesh/errors';
import { createLogger } from '@ragmesh/observability';
import { Outbox } from '@ragmesh/outbox';
import type { Database } from '@ragmesh/postgres';
import { eventually } from '@ragmesh/testing';
import { BlobCollector } from '../src/adapters/blob-collector.js';
import { FolderBlobStore } from '../src/adapters/folder-blob-store.js';
import { GenerationCollector } from '../src/adapters/generation-collector.js';
import { GenerationIndex } from '../src/adapters/generation-index.js';
import { GenerationRepository } from '../src/adapters/generation.repository.js';
import { WaitingIngestions } from '../src/adapters/waiting-ingestions.js';
import { IngestionProcess } from '../src/commands/ingestion-process.js';
import type { DocumentConfig } from '../src/document.config.js';
import { AdmissionWorker } from '../src/sagas/admission-worker.js';

const config = {} as DocumentConfig;
const logger = createLogger('document', 'silent');
const others = ['setImmediate', 'clearImmediate', 'nextTick', 'queueMicrotask', 'Date', 'performance', 'hrtime'];

/** What the database was asked, which it answers when the case says so: that it is away. */
let asked: (() => void)[];
const query = (): Promise<never> =>
  new Promise((_, reject) => {
    asked.push(() => reject(new RagmeshError('STORAGE.UNAVAILABLE', 'The database said nothing.')));
  });
const silent = { query, transaction: query } as unknown as Database;
/** Until what is to be done at once has been done. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

beforeEach(() => {
  asked = [];
  jest.useFakeTimers({ doNotFake: others as never });
});
afterEach(() => void jest.useRealTimers());

describe('work done now and then, while the database says nothing', () => {
  const waiting = new WaitingIngestions(silent);
  const outbox = new Outbox(silent, 'document');
  const blobs = new FolderBlobStore(join(tmpdir(), 'ragmesh-none'));
  it.each([
    ['admission', () => new AdmissionWorker(outbox, waiting, new IngestionProcess(silent, waiting, config), logger)],
    ['the removal of blobs', () => new BlobCollector(silent, blobs, logger)],
    [
      'the removal of generations',
      () =>
        new GenerationCollector(
          outbox,
          new GenerationRepository(silent),
          new GenerationIndex({ of: () => undefined } as never),
          config,
          logger,
        ),
    ],
  ])('%s does not pile up: a stop waits for one attempt', async (_, make) => {
    const worker = make();
    await worker.onApplicationBootstrap();
    for (let second = 0; second < 60; second += 1) {
      jest.advanceTimersByTime(1_000);
      await settled();
    }
    // What is done before it is asked may take the disk its time.
    await eventually('it is asked', () => asked.length > 0);
    expect(asked).toHaveLength(1);
    const stopping = worker.onModuleDestroy();
    asked[0]!();
    await stopping;
    expect(asked).toHaveLength(1);
  });
});
