/** Longer settings are a text that begins with a rule. */
const longest = 65_536;

const key = /^(?:[\p{L}\p{N}_$@]\S*|"[^"]+"|'[^']+')\s*:(?:\s|$)/u;

/** What may stand at the margin behind the first key: nothing, a comment, an item, a value's end; or else a key. */
const otherLine = /^(?:\s|#|-(?:\s|$)|[\]}]|$)/;

/**
 * Length of the YAML settings a Markdown text begins with, both their `---` lines included; 0 when there are none. A text
 * may begin with a rule, so what is no YAML counts as text: the first line but comments must be a key.
 */
export function frontMatterLength(text: string): number {
  const head = text.slice(0, longest);
  if (!head.startsWith('---\n')) return 0;
  let hasKey = false;
  for (let start = 4; start < head.length;) {
    const feed = head.indexOf('\n', start);
    const end = feed < 0 ? head.length : feed;
    const line = head.slice(start, end);
    if (line === '---') return hasKey || start === 4 ? Math.min(end + 1, text.length) : 0;
    if (key.test(line)) hasKey = true;
    else if (hasKey ? !otherLine.test(line) : !line.startsWith('#')) return 0;
    start = end + 1;
  }
  return 0;
}
