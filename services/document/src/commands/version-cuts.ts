import { Injectable } from '@nestjs/common';
import type { SqlTransaction } from '@ragmesh/postgres';
import { ChunkRepository } from '../adapters/chunk.repository.js';
import type { VersionRow } from '../adapters/document.rows.js';
import { GenerationRepository } from '../adapters/generation.repository.js';
import { TextExtractor, type ExtractedText } from '../adapters/text-extractor.js';
import { batchesOf } from '../domain/chunk-batches.js';
import type { Chunking } from '../domain/chunking.js';
import type { Span } from '../domain/kept-span.js';
import { recut } from '../domain/recut.js';
import type { Cut } from '../publishes/document-chunked.event.js';
import type { Ingestion } from '../sagas/ingestion.saga.js';

/** A version in its collection. */
export interface PlacedVersion {
  readonly tenant: string;
  readonly collection: string;
  readonly upload: VersionRow;
  /** Of the document. */
  readonly metadata: object;
}

/** Cutting a text of this many UTF-16 units takes so short that a transaction may wait for it. */
const SHORT_UNITS = 2 ** 17;

/** The batches of a version's chunks for each way its text is cut. */
export type CutBatches = (chunking: Chunking) => Promise<Span[][]>;

/** The chunks of a version, for each generation of its collection's index. */
@Injectable()
export class VersionCuts {
  constructor(
    private readonly chunks: ChunkRepository,
    private readonly generations: GenerationRepository,
    private readonly extractor: TextExtractor,
  ) {}

  /** What an earlier attempt at the same upload extracted. */
  async reuse({ tenant, collection, upload }: PlacedVersion): Promise<ExtractedText | undefined> {
    if (!upload.text_blob_key || upload.chunks === 0) return undefined;
    const { document_id: documentId, version } = upload;
    const targets = await this.generations.targets(tenant, collection);
    const own = targets.find(({ chunking }) => chunking === null) ?? targets[0];
    const spans = await this.chunks.read({ tenant, documentId, version, generation: own?.generation ?? 0 });
    if (spans.length === 0) return undefined;
    const text = await this.extractor.readText(tenant, upload.text_blob_key);
    return { text, spans, mediaType: upload.media_type, title: null, textKey: upload.text_blob_key };
  }

  /**
   * Cuts a long text in the ways it is needed by now, before the transaction that keeps the chunks: that waits for it only
   * where a generation with another way began meanwhile.
   */
  async prepare(
    { tenant, collection, upload, metadata }: PlacedVersion,
    { text, spans }: ExtractedText,
  ): Promise<CutBatches> {
    const known = new Map<string, Promise<Span[][]>>();
    const cut = async (chunking: Chunking): Promise<Span[][]> =>
      batchesOf(await recut(upload.kind, text, spans, chunking), text, metadata);
    const batches: CutBatches = (chunking) => {
      const name = JSON.stringify(chunking);
      const cutting = known.get(name) ?? cut(chunking);
      known.set(name, cutting);
      return cutting;
    };
    if (text.length <= SHORT_UNITS) return batches;
    const targets = await this.generations.targets(tenant, collection);
    for (const { chunking } of targets.length > 0 ? targets : [{ chunking: null }]) await batches(chunking);
    return batches;
  }

  /**
   * Keeps the chunks for each generation the version is written to. None begins or leaves until the transaction ends.
   * @returns that of the generation readers see first.
   */
  async keep(
    tx: SqlTransaction,
    { tenant, collection, upload }: Omit<PlacedVersion, 'metadata'>,
    batches: CutBatches,
  ): Promise<Cut[]> {
    const { document_id: documentId, version } = upload;
    const targets = await this.generations.keptTargets(tx, tenant, collection);
    const all: Cut[] = [];
    for (const { chunking, ...target } of targets) all.push({ ...target, batches: await batches(chunking) });
    if (all.length === 0) all.push({ generation: undefined, batches: await batches(null), model: null });
    if (upload.chunks > 0) this.chunks.discard(tx, tenant, documentId, version);
    for (const cut of all)
      await this.chunks.add(tx, { tenant, documentId, version, generation: cut.generation ?? 0 }, cut.batches);
    return all;
  }
}

/** How many chunks there are in a cut. */
export const chunksOf = ({ batches }: Cut): number => batches.reduce((sum, { length }) => sum + length, 0);

/** What the saga of the version counts: the batches of the generation readers see. */
export function ingestionData(cuts: readonly Cut[]): Partial<Ingestion> {
  const { generation, batches } = cuts[0]!;
  const counts = { chunks: chunksOf(cuts[0]!), batches: batches.length };
  if (generation === undefined) return counts;
  const generations = cuts.map((cut) => ({ generation: cut.generation!, chunks: chunksOf(cut) }));
  return { ...counts, generation, generations };
}
