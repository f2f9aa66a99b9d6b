/**
 * Estimates how many WordPiece tokens an English-vocabulary model makes of `text.slice(start, end)`, without the model:
 * short Latin words are one token, longer ones one per five letters, digits one per three, and every sign or letter of
 * another script counts as one token, since such vocabularies fall back to single characters there.
 * Deterministic, linear, never zero for text with content.
 */
export function estimateTokens(text: string, start = 0, end = text.length): number {
  let tokens = 0;
  let letters = 0;
  let digits = 0;
  for (let index = start; index < end; index += 1) {
    const unit = text.charCodeAt(index);
    if (isLatinLetter(unit)) {
      // Accents are what an English vocabulary knows least.
      letters += unit < 128 ? 1 : 3;
      continue;
    }
    if (unit >= 48 && unit <= 57) {
      digits += 1;
      continue;
    }
    if (letters > 0) tokens += ofWord(letters);
    if (digits > 0) tokens += ofNumber(digits);
    letters = 0;
    digits = 0;
    // A low surrogate belongs to the character already counted; white space and joiners cost nothing.
    if (!isFree(unit)) tokens += 1;
  }
  return tokens + ofWord(letters) + ofNumber(digits);
}

const ofWord = (letters: number) => (letters === 0 ? 0 : letters <= 7 ? 1 : Math.ceil(letters / 5));
const ofNumber = (digits: number) => Math.ceil(digits / 3);

function isLatinLetter(unit: number): boolean {
  const lower = unit | 32;
  return (lower >= 97 && lower <= 122) || (unit >= 0xc0 && unit <= 0x24f && unit !== 0xd7 && unit !== 0xf7);
}

function isFree(unit: number): boolean {
  if (unit <= 32 || unit === 0xa0 || unit === 0x3000) return true;
  return (unit >= 0xdc00 && unit <= 0xdfff) || (unit >= 0x2000 && unit <= 0x200f) || (unit >= 0xfe00 && unit <= 0xfe0f);
}
