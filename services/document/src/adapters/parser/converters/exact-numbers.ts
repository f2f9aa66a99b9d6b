const quote = 0x22;
const minus = 0x2d;
const zero = 0x30;
const nine = 0x39;

/** A string for each number of a large file would take many times its size. */
const joinedParts = 10_000;

/**
 * The same JSON with those numbers as strings which a program would write in another way: long identifiers, whose last
 * digits a number cannot hold, and prices such as `1.10`. Numbers may stand where none belongs, so the source must be
 * known to be valid. One pass over the text, several times faster than a reviver that is called for each value.
 */
export function withExactNumbers(source: string): string {
  let exact = '';
  let parts: string[] = [];
  let copied = 0;
  for (let at = 0; at < source.length;) {
    const code = source.charCodeAt(at);
    if (code === quote) at = endOfString(source, at);
    else if (code === minus || isDigit(code)) {
      const end = endOfNumber(source, at);
      const number = source.slice(at, end);
      if (String(Number(number)) !== number) {
        parts.push(source.slice(copied, at), `"${number}"`);
        copied = end;
      }
      if (parts.length >= joinedParts) {
        exact += parts.join('');
        parts = [];
      }
      at = end;
    } else at += 1;
  }
  return copied === 0 ? source : exact + parts.join('') + source.slice(copied);
}

const isDigit = (code: number) => code >= zero && code <= nine;

function endOfString(source: string, start: number): number {
  for (let at = start + 1; ;) {
    const end = source.indexOf('"', at);
    if (end < 0) return source.length;
    let escapes = end;
    while (source[escapes - 1] === '\\') escapes -= 1;
    if ((end - escapes) % 2 === 0) return end + 1;
    at = end + 1;
  }
}

/** Digits, and what may be among them: `-1.5e+10`. */
function endOfNumber(source: string, start: number): number {
  let end = start + 1;
  while (end < source.length && (isDigit(source.charCodeAt(end)) || '.eE+-'.includes(source[end]!))) end += 1;
  return end;
}
