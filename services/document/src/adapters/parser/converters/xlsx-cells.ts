import { readXml } from '../xml-reader.js';
import type { ZipArchive } from '../zip-archive.js';

/** Strings shared between cells, by index. Phonetic guides are left out. */
export async function sharedStrings(archive: ZipArchive, part: string): Promise<string[]> {
  const strings: string[] = [];
  let text = '';
  let inText = false;
  let phonetic = 0;
  await readXml(archive, part, {
    open(name) {
      if (name === 'si') text = '';
      if (name === 'rPh') phonetic += 1;
      inText = name === 't' && phonetic === 0;
    },
    text: (piece) => {
      if (inText) text += piece;
    },
    close(name) {
      inText = false;
      if (name === 'rPh') phonetic -= 1;
      if (name === 'si') strings.push(unescaped(text));
    },
  });
  return strings;
}

/** Undoes `_xHHHH_`, which stands for a character XML cannot hold, or for an underscore (ECMA-376 part 1, §22.9.2.19). */
export function unescaped(text: string): string {
  return text.replace(/_x([0-9a-f]{4})_/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

/** Zero-based column of a reference such as `AB12`; -1 when there is none. */
export function columnOf(reference: string): number {
  let column = 0;
  for (const letter of /^[A-Z]{1,3}/.exec(reference)?.[0] ?? '') column = column * 26 + letter.charCodeAt(0) - 64;
  return column - 1;
}
