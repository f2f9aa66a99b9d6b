/** As PostgreSQL can keep it: no text takes NUL, and `jsonb` no half of a surrogate pair. Each becomes U+FFFD. */
export const storableText = (text: string): string => text.replaceAll('\0', '\uFFFD').toWellFormed();

/** {@link storableText} of every name and every text. */
export const storableTexts = (texts: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(texts).map(([name, text]) => [storableText(name), storableText(text)]));
