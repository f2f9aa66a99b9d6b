import { join } from 'node:path';
import { isRagmeshError } from '@ragmesh/errors';
import { modelService } from '@ragmesh/service-model';
import { FolderSource, bundledSource } from '@ragmesh/service-model/sources';
import { fault, type Finding } from '../finding.js';
import { read, type Situation } from '../situation.js';

const { RAGMESH_DATA_DIR, RAGMESH_MODELS_DIR, MODEL_CACHE_DIR } = modelService.config.variables;

/** Whether the files of every model on this machine are what their manifest says. */
export async function checkModels(situation: Situation): Promise<Finding[]> {
  const config = read(situation, { RAGMESH_DATA_DIR, RAGMESH_MODELS_DIR, MODEL_CACHE_DIR });
  if (config === undefined) return [];
  const downloaded = config.MODEL_CACHE_DIR ?? join(config.RAGMESH_DATA_DIR, 'models');
  const folders = [config.RAGMESH_MODELS_DIR, downloaded].filter((folder) => folder !== undefined);
  const findings: Finding[] = [];
  for (const source of [bundledSource(), ...folders.map((folder) => new FolderSource(folder))]) {
    for (const model of await source.list()) {
      try {
        await model.verify();
      } catch (error) {
        if (!isRagmeshError(error)) throw error;
        findings.push(damaged(model.manifest.name, model.path, error.message));
      }
    }
  }
  return findings;
}

const damaged = (name: string, path: string, sentence: string): Finding =>
  fault(
    `Model ${name}: ${sentence}`,
    'The model is refused with MODEL.CORRUPT: its vectors would not fit those that are indexed.',
    `put the files back, or remove ${path}: bundled models come with the repository, others are downloaded again`,
  );
