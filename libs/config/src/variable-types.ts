import { accessSync, constants, statSync } from 'node:fs';
import { z } from 'zod';
import { variable, type Variable } from './variable.js';

interface Range {
  readonly min?: number;
  readonly max?: number;
}

const rangeOf = ({ min, max }: Range): string => {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
  if (min !== undefined) return `, at least ${min}`;
  return max === undefined ? '' : `, at most ${max}`;
};

const within = (value: number, { min = -Infinity, max = Infinity }: Range): boolean => value >= min && value <= max;

/** Reads with `read`; NaN or a value outside the range is the fault "must be `expected`". */
function numeric(kind: string, expected: string, range: Range, read: (text: string) => number): Variable<number> {
  const message = `must be ${expected}${rangeOf(range)}`;
  const schema = z
    .string()
    .transform(read)
    .refine((value) => !Number.isNaN(value) && within(value, range), message);
  return variable(`${kind}${rangeOf(range)}`, schema);
}

/** A whole number. */
export function int(range: Range = {}): Variable<number> {
  return numeric('int', 'a whole number', range, (text) => (/^[+-]?\d{1,15}$/.test(text) ? Number(text) : NaN));
}

/** A number with or without a fraction. */
export function number(range: Range = {}): Variable<number> {
  return numeric('number', 'a number', range, (text) => (/^[+-]?(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : NaN));
}

const byteUnits = { '': 1, b: 1, kb: 2 ** 10, mb: 2 ** 20, gb: 2 ** 30, tb: 2 ** 40 } as const;

/** A size in bytes, written as `512`, `64kb`, `25mb`, `2gb` (powers of 1024). */
export function bytes(range: Range = {}): Variable<number> {
  return numeric('bytes', 'a size such as 25mb', range, (text) => {
    const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)\s*([kmgt]?b)?$/i.exec(text) ?? [];
    return amount === undefined
      ? NaN
      : Math.round(Number(amount) * byteUnits[unit.toLowerCase() as keyof typeof byteUnits]);
  });
}

const secondsPerUnit = { '': 1, ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** A time span in seconds, for which something is kept or which is only compared, written as `30`, `30s`, `250ms`, `5m`, `2h`, `7d`. */
export function duration(range: Range = {}): Variable<number> {
  return numeric('seconds', 'a time span such as 30s or 5m', range, (text) => {
    const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?$/i.exec(text) ?? [];
    return amount === undefined
      ? NaN
      : Number(amount) * secondsPerUnit[unit.toLowerCase() as keyof typeof secondsPerUnit];
  });
}

const DAY = secondsPerUnit.d;

/**
 * A time span that something waits for, one day unless `max` says more. Where it becomes a timer it must have an end: a timer
 * of more than 24.8 days goes off at once.
 */
export function timeout({ min = 0, max = DAY }: Range = {}): Variable<number> {
  return duration({ min, max });
}

const truthWords: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  1: true,
  false: false,
  no: false,
  off: false,
  0: false,
};

/** `true`, `yes`, `on`, `1` or `false`, `no`, `off`, `0`. */
export function bool(): Variable<boolean> {
  const schema = z.string().transform((text, context) => {
    const value = truthWords[text.toLowerCase()];
    if (value !== undefined) return value;
    context.addIssue('must be true or false');
    return z.NEVER;
  });
  return variable('bool', schema);
}

/** An absolute URL with one of the named schemes (without colon). */
export function url(...schemes: string[]): Variable<string> {
  const expected =
    schemes.length === 0 ? 'a URL' : `a URL that begins with ${schemes.map((s) => `${s}://`).join(' or ')}`;
  const isWanted = (text: string): boolean =>
    URL.canParse(text) && (schemes.length === 0 || schemes.includes(new URL(text).protocol.slice(0, -1)));
  return variable('url', z.string().refine(isWanted, `must be ${expected}`));
}

/** One of the named words. */
export function oneOf<const T extends string>(...words: T[]): Variable<T> {
  return variable(words.join(', '), z.enum(words, `must be one of ${words.join(', ')}`));
}

/** Any text, or text that matches `pattern`. */
export function string(pattern?: { readonly matches: RegExp; readonly expected: string }): Variable<string> {
  if (pattern === undefined) return variable('string', z.string());
  return variable('string', z.string().regex(pattern.matches, `must be ${pattern.expected}`));
}

/** Path of a file that is there and can be read, such as a certificate. */
export function file(): Variable<string> {
  return variable('file', z.string().refine(isReadableFile, 'must be a file that this process can read'));
}

function isReadableFile(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Text that never appears in a message, log or table. */
export function secret(): Variable<string> {
  return variable('secret', z.string()).secret();
}

/** A list between commas, each item read by `read`; `expected` finishes the sentence "NAME must be a list of …". */
export function listOf<T>(expected: string, read: (item: string) => T | undefined): Variable<readonly T[]> {
  const schema = z.string().transform((text, context): readonly T[] => {
    const items = text.split(',').map((item) => item.trim());
    const values = items.filter((item) => item !== '').map(read);
    if (values.every((value) => value !== undefined)) return values;
    context.addIssue(`must be a list of ${expected}`);
    return z.NEVER;
  });
  return variable('list', schema);
}
