/**
 * What parent and child say to each other: frames of one type byte, a length (uint32, little endian) and a payload.
 * Payloads of `text` and `file` are raw bytes, all others JSON. Small frames keep the parent's event loop free.
 */
export const frameTypes = ['job', 'file', 'end', 'ready', 'text', 'chunks', 'done', 'failed'] as const;
export type FrameType = (typeof frameTypes)[number];

export interface Frame {
  readonly type: FrameType;
  readonly payload: Buffer;
}

const headerBytes = 5;

/** A longer frame was not written by us: the child is damaged or taken over. */
const maxPayloadBytes = 16 * 1024 * 1024;

export function encodeFrame(type: FrameType, payload: Uint8Array | string = ''): Buffer {
  const body = typeof payload === 'string' ? Buffer.from(payload) : payload;
  const frame = Buffer.allocUnsafe(headerBytes + body.length);
  frame.writeUInt8(frameTypes.indexOf(type), 0);
  frame.writeUInt32LE(body.length, 1);
  frame.set(body, headerBytes);
  return frame;
}

/** Puts frames together again from the pieces a pipe delivers; each byte is copied at most once. */
export class FrameReader {
  private pieces: Buffer[] = [];
  private available = 0;

  /** @throws when the bytes are no frames. */
  *push(piece: Buffer): Generator<Frame> {
    this.pieces.push(piece);
    this.available += piece.length;
    while (this.available >= headerBytes) {
      const header = this.peek(headerBytes);
      const type = frameTypes[header.readUInt8(0)];
      const length = header.readUInt32LE(1);
      if (!type || length > maxPayloadBytes) throw new Error('Not a frame.');
      if (this.available < headerBytes + length) return;
      yield { type, payload: this.take(headerBytes + length).subarray(headerBytes) };
    }
  }

  private peek(bytes: number): Buffer {
    const [first] = this.pieces;
    return first && first.length >= bytes ? first : this.joined();
  }

  private take(bytes: number): Buffer {
    const [first] = this.pieces;
    const from = first && first.length >= bytes ? first : this.joined();
    this.available -= bytes;
    if (from.length > bytes) this.pieces[0] = from.subarray(bytes);
    else this.pieces.shift();
    return from.subarray(0, bytes);
  }

  private joined(): Buffer {
    const all = Buffer.concat(this.pieces);
    this.pieces = [all];
    return all;
  }
}
