import { readXml } from '../xml-reader.js';
import type { ZipArchive } from '../zip-archive.js';

/** What a style makes of a number that is shown as time: a point in time, or a length such as `37:30` hours. */
export type TimeFormat = 'date' | 'duration';

/**
 * Formats a file need not spell out (ECMA-376 part 1, §18.8.30); those from 27 on are dates in every language of East
 * Asia.
 */
const builtInFormats: readonly (readonly [id: number, format: TimeFormat])[] = [
  ...[14, 15, 16, 17, 18, 19, 20, 21, 22, 45, 47].map((id) => [id, 'date'] as const),
  ...[27, 28, 29, 30, 31, 32, 33, 34, 35, 36].map((id) => [id, 'date'] as const),
  ...[50, 51, 52, 53, 54, 55, 56, 57, 58].map((id) => [id, 'date'] as const),
  [46, 'duration'],
];

/** Cell style index → how its number shows time; undefined for any other number. */
export async function timeStyles(archive: ZipArchive, part: string): Promise<(TimeFormat | undefined)[]> {
  const formats = new Map<number, TimeFormat | undefined>(builtInFormats);
  const styles: (TimeFormat | undefined)[] = [];
  let inCellFormats = false;
  await readXml(archive, part, {
    open(name, attributes) {
      if (name === 'cellXfs') inCellFormats = true;
      const id = Number(attributes.numFmtId);
      if (name === 'numFmt') formats.set(id, timeFormatOf(attributes.formatCode ?? ''));
      if (name === 'xf' && inCellFormats) styles.push(formats.get(id));
    },
    close(name) {
      if (name === 'cellXfs') inCellFormats = false;
    },
  });
  return styles;
}

/** By the letters of the format, but those quoted or escaped. A unit in brackets may exceed the next larger one. */
function timeFormatOf(formatCode: string): TimeFormat | undefined {
  const code = formatCode.replace(/"[^"]*"|\\./g, '');
  if (/\[(?:h+|m+|s+)\]/i.test(code)) return 'duration';
  return /[dmyhs]/i.test(code.replace(/\[[^\]]*\]/g, '')) ? 'date' : undefined;
}

/** Days between the two beginnings of time that a workbook may count from. */
const daysTo1904 = 1462;

/**
 * A number of days as the format shows it. A date is written as in ISO 8601, with the time when it has one; a duration in
 * hours, minutes and seconds.
 */
export function timeText(days: number, format: TimeFormat, from1904: boolean): string {
  if (format === 'duration') return durationText(days);
  return dateText(days, from1904 ? days + daysTo1904 : days);
}

/** Day 60 since 1900 is the leap day that year never had. Less than a day is a time of no date. */
function dateText(value: number, since1900: number): string {
  const days = since1900 < 60 ? since1900 + 1 : since1900;
  const date = new Date(Math.round((days - 25_569) * 86_400) * 1000);
  if (!Number.isFinite(date.getTime())) return String(value);
  const [day, time] = date.toISOString().split(/[T.]/) as [string, string];
  if (value < 1) return time;
  return Number.isInteger(value) ? day : `${day} ${time}`;
}

function durationText(days: number): string {
  const seconds = Math.round(Math.abs(days) * 86_400);
  if (!Number.isSafeInteger(seconds)) return String(days);
  const twoDigits = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  return `${days < 0 ? '-' : ''}${hours}:${twoDigits(Math.floor(seconds / 60) % 60)}:${twoDigits(seconds % 60)}`;
}
