const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN = new Set([0x5b, 0x7b]);
const CLOSE = new Set([0x5d, 0x7d]);

/**
 * Whether JSON nests deeper than `limit`, read off the raw bytes in one pass: a parser that recurses must never see such a
 * body. Says nothing on whether it is JSON at all.
 */
export function isNestedDeeperThan(bytes: Uint8Array, limit: number): boolean {
  let depth = 0;
  for (let i = 0; i < bytes.length; i += 1) {
    const byte = bytes[i]!;
    if (byte === QUOTE) i = endOfString(bytes, i + 1);
    else if (OPEN.has(byte)) {
      depth += 1;
      if (depth > limit) return true;
    } else if (CLOSE.has(byte)) depth -= 1;
  }
  return false;
}

/**
 * Whether JSON may hold more values than `limit`, names aside, read off the raw bytes likewise: few bytes are enough for a value,
 * and whatever looks at each of them would keep every other request waiting.
 */
export function hasMoreValuesThan(bytes: Uint8Array, limit: number): boolean {
  let values = 1;
  for (let i = 0; i < bytes.length && values <= limit; i += 1) {
    const byte = bytes[i]!;
    if (byte === QUOTE) i = endOfString(bytes, i + 1);
    else if (byte === COMMA || OPEN.has(byte)) values += 1;
  }
  return values > limit;
}

/** As {@link isNestedDeeperThan}, of what is parsed already. Goes level by level: whatever recurses must never see a value that is too deep. */
export function isValueDeeperThan(value: unknown, limit: number): boolean {
  let level = [value].filter(isContainer);
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > limit) return true;
    level = level.flatMap((container) => Object.values(container).filter(isContainer));
  }
  return false;
}

const isContainer = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** Index of the quote that ends the string whose first character is at `start`; the end of the bytes when none does. */
function endOfString(bytes: Uint8Array, start: number): number {
  for (let quote = bytes.indexOf(QUOTE, start); quote !== -1; quote = bytes.indexOf(QUOTE, quote + 1)) {
    let backslashes = 0;
    while (bytes[quote - 1 - backslashes] === BACKSLASH && quote - backslashes > start) backslashes += 1;
    if (backslashes % 2 === 0) return quote;
  }
  return bytes.length;
}
