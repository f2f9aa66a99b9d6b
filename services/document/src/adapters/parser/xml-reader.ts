import { Parser } from 'htmlparser2';
import { limitExceeded } from './document-text.js';
import type { ZipArchive } from './zip-archive.js';

export interface XmlHandlers {
  open?(name: string, attributes: Record<string, string>): void;
  text?(text: string): void;
  close?(name: string): void;
}

/** Deeper nesting is no document: handlers keep an entry for each level, and the parser takes time for all of them at each. */
const maxDepth = 2000;

/**
 * Streams one XML part of an archive through the handlers, element names without their prefix. No document type is read
 * and no entity expanded, so XML bombs have no effect. Gives false when the part does not exist.
 * @throws `DOCUMENT.LIMIT_EXCEEDED` for elements nested too deeply.
 */
export async function readXml(archive: ZipArchive, part: string, handlers: XmlHandlers): Promise<boolean> {
  if (!archive.has(part)) return false;
  let depth = 0;
  const parser = new Parser(
    {
      onopentag(name, attributes) {
        depth += 1;
        if (depth > maxDepth) throw limitExceeded('nested elements', maxDepth);
        handlers.open?.(localName(name), attributes);
      },
      ontext: (text) => handlers.text?.(text),
      onclosetag(name) {
        handlers.close?.(localName(name));
        depth -= 1;
      },
    },
    { xmlMode: true, decodeEntities: true },
  );
  for await (const piece of archive.read(part)) parser.write(piece);
  parser.end();
  return true;
}

function localName(name: string): string {
  const colon = name.indexOf(':');
  return colon < 0 ? name : name.slice(colon + 1);
}

/** An attribute whatever its prefix, which differs between producers. */
export function attribute(attributes: Record<string, string>, name: string): string | undefined {
  for (const key in attributes) if (localName(key) === name) return attributes[key];
  return undefined;
}
