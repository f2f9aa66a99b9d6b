import { bool, defineConfig, oneOf, secret, string, timeout, url, type ConfigOf } from '@ragmesh/config';

/** What the model service reads from its environment. */
export const modelConfig = defineConfig({
  RAGMESH_DATA_DIR: string().default('.ragmesh').describe('Folder of everything that is kept: database, blobs, models'),
  RAGMESH_MODELS_DIR: string()
    .optional()
    .describe('Folder with models of your own, one folder each; looked at before the bundled ones'),
  EMBEDDING_MODEL: string().default('all-MiniLM-L6-v2').describe('Model that makes the vectors: name or name@revision'),
  MODEL_CACHE_DIR: string()
    .optional()
    .describe('Folder that downloaded models are kept in; `models` below RAGMESH_DATA_DIR unless set'),
  MODEL_DTYPE: oneOf('q8', 'fp16', 'fp32')
    .default('q8')
    .describe('Number format to download when a repository has several; another one when it lacks this'),
  HF_ENDPOINT: url('http', 'https')
    .default('https://huggingface.co')
    .describe('Model hub, or a mirror of it that speaks its protocol'),
  HF_TOKEN: secret().optional().describe('Token for private and gated models; sent to HF_ENDPOINT only'),
  HF_HUB_OFFLINE: bool().default(false).describe('Uses what has been downloaded and never calls the hub'),
  HF_HUB_DOWNLOAD_TIMEOUT: timeout({ min: 0.1 })
    .default('10s')
    .describe('Longest silence of the hub before a request is broken off and taken up again'),
  HUB_ALLOWED_HOSTS: string()
    .default('*.huggingface.co,*.hf.co')
    .describe('Hosts the hub may redirect downloads to, besides HF_ENDPOINT; comma-separated, `*.` for all below'),
});

export type ModelConfig = ConfigOf<typeof modelConfig>;
