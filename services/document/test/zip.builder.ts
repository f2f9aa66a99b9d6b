import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipPart {
  readonly name: string;
  readonly content: string | Buffer;
  /** Unix mode, for links. */
  readonly mode?: number;
  /** What the directory claims instead of the true size. */
  readonly claimedSize?: number;
}

/** A zip file with exactly these parts, whatever their names: archives no ordinary program would write. */
export function zipOf(parts: readonly ZipPart[], claimedEntries = parts.length): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content, mode = 0o100644, claimedSize } of parts) {
    const raw = Buffer.from(content);
    const packed = deflateRawSync(raw);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(0x800, 2);
    fields.writeUInt16LE(8, 4);
    fields.writeUInt32LE(crc32(raw), 10);
    fields.writeUInt32LE(packed.length, 14);
    fields.writeUInt32LE(claimedSize ?? raw.length, 18);
    fields.writeUInt16LE(Buffer.byteLength(name), 22);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE((mode << 16) >>> 0, 6);
    tail.writeUInt32LE(offset, 10);
    locals.push(Buffer.from('PK\x03\x04'), fields, Buffer.from(name), packed);
    directory.push(Buffer.from('PK\x01\x02'), Buffer.from([20, 3]), fields, tail, Buffer.from(name));
    offset += 30 + Buffer.byteLength(name) + packed.length;
  }
  const listing = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(Math.min(claimedEntries, 65_535), 4);
  end.writeUInt16LE(Math.min(claimedEntries, 65_535), 6);
  end.writeUInt32LE(listing.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...locals, listing, Buffer.from('PK\x05\x06'), end]);
}

export const contentTypes: ZipPart = { name: '[Content_Types].xml', content: '<Types/>' };

/** A Word file with this XML as its body. */
export const docxOf = (body: string, extra: readonly ZipPart[] = []): Buffer =>
  zipOf([
    contentTypes,
    { name: 'word/document.xml', content: `<w:document><w:body>${body}</w:body></w:document>` },
    ...extra,
  ]);

/** Relationship targets by id. */
export const relationships = (targets: Record<string, { type: string; target: string }>): string =>
  `<Relationships>${Object.entries(targets)
    .map(([id, { type, target }]) => `<Relationship Id="${id}" Type="x/${type}" Target="${target}"/>`)
    .join('')}</Relationships>`;
