import { describe, expect, it } from '@jest/globals';
import { AllowedHosts } from './allowed-hosts.js';
import { hubManifest } from './hub-manifest.js';
import { selectHubFiles } from './hub-selection.js';

const downloaded = { name: 'acme/tiny', revision: 'c.q8', dtype: 'q8', files: [] } as const;
const config = { architectures: ['BertModel'], hidden_size: 384, max_position_embeddings: 512 };
const none = { tokenizer: {}, sentences: {}, pooling: {} };
const unsupported = expect.objectContaining({ code: 'MODEL.UNSUPPORTED' }) as unknown as Error;

describe('a manifest made from the descriptions of a repository', () => {
  it('takes the lowest of the limits, of which some are nonsense', () => {
    const tokenizer = { model_max_length: 1e30 };
    expect(hubManifest(downloaded, { ...none, config, tokenizer })).toMatchObject({ maxTokens: 512, dimension: 384 });
    const sentences = { max_seq_length: 256 };
    expect(hubManifest(downloaded, { ...none, config, sentences })).toMatchObject({ maxTokens: 256, pooling: 'mean' });
  });

  it('knows a model that scores pairs, and one that takes the first token', () => {
    const scoring = { ...config, architectures: ['BertForSequenceClassification'] };
    expect(hubManifest(downloaded, { ...none, config: scoring })).toMatchObject({ task: 'rerank', dimension: 1 });
    const pooling = { pooling_mode_cls_token: true, pooling_mode_mean_tokens: false };
    expect(hubManifest(downloaded, { ...none, config, pooling })).toMatchObject({ task: 'embedding', pooling: 'cls' });
  });

  it('refuses what it could not run', () => {
    const pooling = { pooling_mode_max_tokens: true, pooling_mode_mean_tokens: false };
    expect(() => hubManifest(downloaded, { ...none, config, pooling })).toThrow(unsupported);
    expect(() => hubManifest(downloaded, { ...none, config: {} })).toThrow(unsupported);
  });
});

describe('the choice of files', () => {
  const usual = ['README.md', 'config.json', 'tokenizer.json', 'onnx/model.onnx', 'onnx/model.onnx_data'];

  it('takes the number format wanted, else one that is there, with its data beside it', () => {
    const all = [...usual, 'onnx/model_quantized.onnx'];
    expect(selectHubFiles('a/b', all, 'q8')).toMatchObject({ dtype: 'q8' });
    expect(selectHubFiles('a/b', usual, 'q8')).toEqual({
      dtype: 'fp32',
      paths: ['onnx/model.onnx', 'onnx/model.onnx_data', 'tokenizer.json', 'config.json'],
    });
  });

  it('refuses a repository without weights or tokenizer, or with a path that leaves it', () => {
    expect(() => selectHubFiles('a/b', ['config.json', 'tokenizer.json'], 'q8')).toThrow(unsupported);
    expect(() => selectHubFiles('a/b', ['onnx/model.onnx', 'config.json'], 'q8')).toThrow(unsupported);
    expect(() => selectHubFiles('a/b', [...usual, '../x'], 'q8')).toThrow(unsupported);
  });
});

describe('allowed hosts', () => {
  const hosts = new AllowedHosts(['*.hf.co', ' Mirror.example:8443 ', '']);

  it.each(['https://cdn-lfs.hf.co/x', 'https://mirror.example:8443/', 'http://mirror.example:8443/'])(
    'hold for %s',
    (url) => {
      expect(() => hosts.demand(new URL(url))).not.toThrow();
    },
  );

  it.each([
    'https://hf.co.evil.example/',
    'https://evilhf.co/',
    'http://cdn.hf.co/',
    'file:///etc/passwd',
    'https://mirror.example/',
  ])('refuse %s', (url) => {
    const refusal = expect.objectContaining({ code: 'MODEL.HOST_NOT_ALLOWED' }) as unknown as Error;
    expect(() => hosts.demand(new URL(url))).toThrow(refusal);
  });
});
