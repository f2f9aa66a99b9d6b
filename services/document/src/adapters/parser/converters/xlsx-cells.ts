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
      if (name === 'si') strings.push(text);
    },
  });
  return strings;
}

/** Cell style index → whether its number is a date (ECMA-376 part 1, §18.8.30: built-in ids, else the format's letters). */
export async function dateStyles(archive: ZipArchive, part: string): Promise<boolean[]> {
  const dateFormats = new Set([14, 15, 16, 17, 18, 19, 20, 21, 22, 45, 46, 47]);
  const styles: boolean[] = [];
  let inCellFormats = false;
  await readXml(archive, part, {
    open(name, attributes) {
      if (name === 'cellXfs') inCellFormats = true;
      const id = Number(attributes.numFmtId);
      const code = (attributes.formatCode ?? '').replace(/"[^"]*"|\[[^\]]*\]|\\./g, '');
      if (name === 'numFmt' && /[dmyhs]/i.test(code)) dateFormats.add(id);
      if (name === 'xf' && inCellFormats) styles.push(dateFormats.has(id));
    },
    close(name) {
      if (name === 'cellXfs') inCellFormats = false;
    },
  });
  return styles;
}

/** A spreadsheet's day number as an ISO date, with the time when it has one. Day 60 is the leap day 1900 never had. */
export function dateText(serial: number): string {
  const days = serial < 60 ? serial + 1 : serial;
  const date = new Date(Math.round((days - 25_569) * 86_400) * 1000);
  if (!Number.isFinite(date.getTime())) return String(serial);
  const [day, time] = date.toISOString().split(/[T.]/) as [string, string];
  if (serial < 1) return time;
  return Number.isInteger(serial) ? day : `${day} ${time}`;
}

/** Zero-based column of a reference such as `AB12`; -1 when there is none. */
export function columnOf(reference: string): number {
  let column = 0;
  for (const letter of /^[A-Z]{1,3}/.exec(reference)?.[0] ?? '') column = column * 26 + letter.charCodeAt(0) - 64;
  return column - 1;
}
