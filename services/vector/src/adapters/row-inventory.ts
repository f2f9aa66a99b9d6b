import { Injectable } from '@nestjs/common';
import { Database } from '@ragmesh/postgres';
import type { DocumentPoints } from './point.repository.js';
import type { VersionInventory } from './vector-store.js';

/** A document, and what readers see of it. */
export interface KnownDocument extends DocumentPoints {
  readonly visibleVersion: number | null;
}

/** What the rows have of some documents; one without points has no versions. */
export interface InventoryPage {
  readonly documents: readonly KnownDocument[];
  readonly versions: readonly VersionInventory[];
}

type PageRow = KnownDocument & {
  readonly [K in 'version' | 'generation' | 'points' | 'visible']: number;
} & { readonly hash: string | null };

/** Documents compared at a time: what a comparison holds in memory is bounded by it, not by what there is. */
const PAGE_DOCUMENTS = 1_000;

/** The points of each document are counted in the key's index alone, as it carries the hashes. */
const PAGE = `
  SELECT d.tenant, d.collection, d.document_id AS "documentId", d.visible_version AS "visibleVersion", v.version,
    v.generation, v.points, CASE WHEN v.version = d.visible_version THEN v.points ELSE 0 END AS visible, v.hash
  FROM (
    SELECT tenant, collection, document_id, visible_version FROM document_index WHERE (tenant, document_id) > ($1, $2)
    ORDER BY tenant, document_id LIMIT ${PAGE_DOCUMENTS}) d
  LEFT JOIN LATERAL (
    SELECT version, generation, count(*) AS points, bit_xor(hash)::text AS hash FROM point p
    WHERE p.tenant = d.tenant AND p.collection = d.collection AND p.document_id = d.document_id
    GROUP BY version, generation) v ON true
  ORDER BY d.tenant, d.document_id`;

const UNKNOWN = `
  SELECT DISTINCT k.tenant, k.collection, k.document_id AS "documentId"
  FROM unnest($1::text[], $2::text[], $3::text[]) AS k(tenant, collection, document_id)
  LEFT JOIN document_index d ON d.tenant = k.tenant AND d.document_id = k.document_id AND d.collection = k.collection
  WHERE d.document_id IS NULL`;

/** What the rows have of every document, as a store is compared with it. */
@Injectable()
export class RowInventory {
  constructor(private readonly database: Database) {}

  /** Every document, by tenant and id, a page at a time. One that comes or goes meanwhile may be left out. */
  async *pages(): AsyncGenerator<InventoryPage> {
    let last: DocumentPoints | undefined;
    for (;;) {
      const { rows } = await this.database.query<PageRow>(PAGE, [last?.tenant ?? '', last?.documentId ?? '']);
      const page = pageOf(rows);
      if (page.documents.length > 0) yield page;
      if (page.documents.length < PAGE_DOCUMENTS) return;
      last = page.documents.at(-1);
    }
  }

  /** Those of some documents that the rows do not know in their collections, each once. */
  async unknown(documents: readonly DocumentPoints[]): Promise<DocumentPoints[]> {
    const column = (name: keyof DocumentPoints): string[] => documents.map((document) => document[name]);
    const columns = [column('tenant'), column('collection'), column('documentId')];
    return (await this.database.query<DocumentPoints>(UNKNOWN, columns)).rows;
  }
}

/** @param rows of one document behind each other. */
function pageOf(rows: readonly PageRow[]): InventoryPage {
  const documents: KnownDocument[] = [];
  const versions: VersionInventory[] = [];
  for (const { visibleVersion, version, generation, points, visible, hash, ...document } of rows) {
    const last = documents.at(-1);
    if (last?.tenant !== document.tenant || last.documentId !== document.documentId)
      documents.push({ ...document, visibleVersion });
    if (hash !== null) versions.push({ ...document, version, generation, points, visible, hash: BigInt(hash) });
  }
  return { documents, versions };
}
