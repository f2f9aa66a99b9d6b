import { createHash } from 'node:crypto';

/**
 * Names a text's vector for reuse across documents and versions: `<name>@<revision>:<sha256 of the text>`. Texts that
 * differ only in Unicode composition, line endings or surrounding white space share a key; nothing else is folded,
 * because case and inner spacing may matter to a model.
 */
export function embeddingCacheKey(model: string, text: string): string {
  const normalised = text.normalize('NFC').replaceAll('\r\n', '\n').trim();
  return `${model}:${createHash('sha256').update(normalised, 'utf8').digest('hex')}`;
}
