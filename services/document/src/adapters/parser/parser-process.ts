import type { Chunk } from '../../domain/splitting/chunk.js';
export class ParserProcesses {
  constructor(readonly options: object) {}
  async parse(_request: object, _signal?: AbortSignal): Promise<{ mediaType: string; title: string | null; chunks: AsyncIterable<Chunk> }> {
    throw new Error('temporary');
  }
  async close(): Promise<void> {}
}
