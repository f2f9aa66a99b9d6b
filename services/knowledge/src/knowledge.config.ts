import { defineConfig, type ConfigOf } from '@ragmesh/config';

/** Knowledge needs nothing beyond what every service is given. */
export const knowledgeConfig = defineConfig({});

export type KnowledgeConfig = ConfigOf<typeof knowledgeConfig>;
