import { posix } from 'node:path';
import { attribute, readXml } from './xml-reader.js';
import type { ZipArchive } from './zip-archive.js';

/** Relationship id → where it points, as a part name. Links out of the archive are left out: nothing is ever fetched. */
export async function relationshipsOf(archive: ZipArchive, part: string): Promise<Map<string, Relationship>> {
  const relationships = new Map<string, Relationship>();
  const folder = posix.dirname(part);
  const file = posix.join(folder, '_rels', `${posix.basename(part)}.rels`);
  await readXml(archive, file, {
    open(name, attributes) {
      if (name !== 'Relationship' || attributes.TargetMode === 'External') return;
      const target = attributes.Target ?? '';
      const resolved = target.startsWith('/') ? target.slice(1) : posix.join(folder, target);
      relationships.set(attributes.Id ?? '', { target: resolved, type: attributes.Type?.split('/').at(-1) ?? '' });
    },
  });
  return relationships;
}

export interface Relationship {
  readonly target: string;
  /** Last segment of the relationship's type: `footnotes`, `slide`, `worksheet`. */
  readonly type: string;
}

/** The main part of an OOXML package, or `fallback` when the package does not say. */
export async function mainPartOf(archive: ZipArchive, fallback: string): Promise<string> {
  for (const { target, type } of (await relationshipsOf(archive, '.')).values()) {
    if (type === 'officeDocument' && archive.has(target)) return target;
  }
  return fallback;
}

/** The title its author gave the document; null when there is none. */
export async function coreTitle(archive: ZipArchive): Promise<string | null> {
  let inside = false;
  let title = '';
  await readXml(archive, 'docProps/core.xml', {
    open: (name) => {
      inside = name === 'title';
    },
    text: (text) => {
      if (inside) title += text;
    },
    close: () => {
      inside = false;
    },
  });
  return title.trim().slice(0, 500).toWellFormed() || null;
}

/** Reads the attribute `val` as OOXML means an on/off property: present without a value is on. */
export const valueOf = (attributes: Record<string, string>): string => attribute(attributes, 'val') ?? '';
