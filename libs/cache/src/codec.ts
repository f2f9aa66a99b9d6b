/** How a value is written into the second level. What another release wrote differently must not decode: name the format. */
export interface Codec<T> {
  readonly encode: (value: T) => Uint8Array;
  /** @throws when the bytes are not what `encode` writes; the entry then counts as missing. */
  readonly decode: (bytes: Uint8Array) => T;
}

/** @param format written in front; an entry of another format is not read. */
export function jsonCodec<T>(format: string): Codec<T> {
  return {
    encode: (value) => Buffer.from(`${format}\n${JSON.stringify(value)}`, 'utf8'),
    decode: (bytes) => {
      const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
      if (!text.startsWith(`${format}\n`)) throw new Error('The entry is of another format');
      return JSON.parse(text.slice(format.length + 1)) as T;
    },
  };
}

/** float32, little endian, four bytes each. */
export const float32Codec: Codec<Float32Array> = {
  encode: (vector) => {
    const view = new DataView(new ArrayBuffer(vector.length * 4));
    vector.forEach((value, at) => view.setFloat32(at * 4, value, true));
    return new Uint8Array(view.buffer);
  },
  decode: (bytes) => {
    if (bytes.length === 0 || bytes.length % 4 !== 0) throw new Error('The entry is no vector of float32');
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return Float32Array.from({ length: bytes.length / 4 }, (_, at) => view.getFloat32(at * 4, true));
  },
};

const NOTHING = Buffer.from([0]);

/** A value or the knowledge that there is none, as bytes. */
export function encodeEntry<T>(codec: Codec<T>, value: T | null): Buffer {
  return value === null ? NOTHING : Buffer.concat([Buffer.from([1]), codec.encode(value)]);
}

/** Undefined when the bytes cannot be read. */
export function decodeEntry<T>(codec: Codec<T>, bytes: Buffer): { value: T | null } | undefined {
  try {
    if (bytes[0] === 0 && bytes.length === 1) return { value: null };
    return bytes[0] === 1 ? { value: codec.decode(bytes.subarray(1)) } : undefined;
  } catch {
    return undefined;
  }
}
