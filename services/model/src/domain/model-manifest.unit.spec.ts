import { describe, expect, it } from '@jest/globals';
import { parseManifest, parseModelReference } from './model-manifest.js';

const valid = {
  name: 'tiny',
  revision: 'r1',
  dimension: 8,
  maxTokens: 16,
  dtype: 'q8',
  files: [{ path: 'onnx/model.onnx', bytes: 3, sha256: 'a'.repeat(64) }],
};

describe('a model manifest', () => {
  it('is read with unknown members ignored', () => {
    expect(parseManifest(JSON.stringify({ ...valid, license: 'MIT' }))).toEqual({
      ...valid,
      task: 'embedding',
      pooling: 'mean',
    });
  });

  it.each([
    ['name', { name: '../etc' }],
    ['revision', { revision: undefined }],
    ['dimension', { dimension: 0 }],
    ['maxTokens', { maxTokens: '256' }],
    ['dtype', { dtype: 'q1' }],
    ['task', { task: 'cooking' }],
    ['pooling', { pooling: 'max' }],
    ['files', { files: [] }],
    ['files[0].path', { files: [{ ...valid.files[0], path: '../secret' }] }],
    ['files[0].path', { files: [{ ...valid.files[0], path: '/etc/passwd' }] }],
    ['files[0].path', { files: [null] }],
    ['files[0].bytes', { files: [{ ...valid.files[0], bytes: -1 }] }],
    ['files[0].sha256', { files: [{ ...valid.files[0], sha256: 'ABC' }] }],
  ])('names %s when it is wrong', (member, change) => {
    const fault = expect.objectContaining({ code: 'MODEL.CORRUPT', details: { file: 'manifest.json', member } });
    expect(() => parseManifest(JSON.stringify({ ...valid, ...change }))).toThrow(fault as unknown as Error);
  });

  it.each(['', '{', 'null', '3'])('is refused when its text is %j', (text) => {
    expect(() => parseManifest(text)).toThrow(expect.objectContaining({ code: 'MODEL.CORRUPT' }) as unknown as Error);
  });
});

describe('a model reference', () => {
  it('may pin the revision', () => {
    expect(parseModelReference('tiny')).toEqual({ name: 'tiny', revision: undefined });
    expect(parseModelReference('tiny@r1')).toEqual({ name: 'tiny', revision: 'r1' });
    expect(parseModelReference('owner/tiny@r1')).toEqual({ name: 'owner/tiny', revision: 'r1' });
  });

  it.each(['', '@r1', 'tiny@', 'a@b@c', '../tiny', 'tiny/..', 'a/b/c', 'tiny@a/b'])('cannot be %j', (text) => {
    expect(() => parseModelReference(text)).toThrow(
      expect.objectContaining({ code: 'MODEL.NOT_FOUND' }) as unknown as Error,
    );
  });
});
