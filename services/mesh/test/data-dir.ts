import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A fresh folder for one mesh. */
export const newDataDir = (): Promise<string> => mkdtemp(join(tmpdir(), 'ragmesh-mesh-spec-'));

export const removeDataDir = (dataDir: string): Promise<void> =>
  rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
