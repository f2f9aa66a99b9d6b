import { fromJson, toBinary, type JsonObject } from '@bufbuild/protobuf';
import { StructSchema, type Struct } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from '@jest/globals';
import { metadataBytes } from './metadata-bytes.js';

const many = <T>(value: T): T[] => Array<T>(20_000).fill(value);
const deep = (levels: number): unknown => (levels === 0 ? [] : [deep(levels - 1)]);

describe('metadataBytes', () => {
  it.each<[string, JsonObject]>([
    ['numbers of one digit', { n: many(7) }],
    ['short texts', { n: many('a') }],
    ['empty lists and objects', { n: many([]), m: many({}) }],
    ['nothing and yes', { n: many(null), m: many(true) }],
    ['texts of three bytes a character', { n: '\u6f22'.repeat(60_000) }],
    ['lists in lists', { n: many(deep(20)) } as JsonObject],
    [
      'one-letter names',
      Object.fromEntries(Array.from({ length: 500 }, (_, n) => [String.fromCharCode(0x100 + n), 1])),
    ],
  ])('is never less than what %s take in a message', (_, metadata) => {
    const message: Struct = fromJson(StructSchema, metadata);
    expect(metadataBytes(metadata)).toBeGreaterThanOrEqual(toBinary(StructSchema, message).byteLength);
  });
});
