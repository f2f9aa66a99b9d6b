import { describe, expect, it } from '@jest/globals';
import { contentTypes, docxOf, zipOf } from '../../../test/zip.builder.js';
import { parseDocument } from './parse-document.js';
import { defaultParserLimits } from './parser-limits.js';

const parse = (content: string | Buffer, fileName = '') =>
  parseDocument({ bytes: Buffer.from(content), fileName }, defaultParserLimits);

/** Kind and text of each block, the way a splitter sees them. */
const blocks = async (content: string | Buffer, fileName = '') => {
  const { text, blocks: found } = await parse(content, fileName);
  return found.map(({ kind, start, end }) => [kind, text.slice(start, end)]);
};

describe('Markdown', () => {
  it('knows headings, lists, tables and a fence that is never closed', async () => {
    const source =
      '# Top\nWords\nmore\n\n- a\n  - b\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nSub\n---\n```js\n# no heading\n\nend';
    expect(await blocks(source, 'x.md')).toEqual([
      ['heading', '# Top'],
      ['paragraph', 'Words\nmore'],
      ['list', '- a\n  - b'],
      ['table', '| a | b |\n|---|---|\n| 1 | 2 |'],
      ['heading', 'Sub\n---'],
      ['code', '```js\n# no heading\n\nend'],
    ]);
  });
});

describe('Markdown that begins with a line of dashes', () => {
  it.each([
    '---\ntitle: T\n---\n',
    '---\n# made by a tool\n"title": T\n\ntags:\n- a\ntext: >\n  folded\n---\n',
    '---\n---\n',
  ])('leaves settings out: %j', async (settings) => {
    expect(await blocks(`${settings}# Terms\nPay in time.`, 'x.md')).toEqual([['heading', '# Terms'], ['paragraph', 'Pay in time.']]); // prettier-ignore
  });

  it.each([
    '---\n\n# Terms\n\nPay in time.\n\n---\nfooter',
    '---\n# Terms\nPay in time.\n\n---\nfooter',
    '---\nNote: all of this holds.\n\nPay in time.\n\n---\nfooter',
    '---\ntitle: never closed\nPay in time.',
  ])('keeps a text behind a rule: %j', async (source) => {
    const texts = (await blocks(source, 'x.md')).map(([, text]) => text).join('\n');
    expect(texts).toContain('Pay in time.');
  });
});

describe('CSV', () => {
  it('names cells after their column and keeps quoted delimiters and line breaks', async () => {
    expect(await blocks('name;note\r\n"A; B";"two\r\nlines ""quoted"""\r\nC;\r\n', 'x.csv')).toEqual([
      ['table', 'name: A; B; note: two lines "quoted"\nname: C'],
    ]);
  });

  it('keeps rows without a header side by side', async () => {
    expect(await blocks('1,2,3\n4,5,6\n', 'x.csv')).toEqual([['table', '1 | 2 | 3\n4 | 5 | 6']]);
  });
});

describe('JSON', () => {
  it('writes each leaf with its path', async () => {
    expect(await blocks('{"a":{"b":["x",{"c":1}]},"d":null,"e":"caf\\u00e9"}')).toEqual([
      ['list', 'a.b[0]: x\na.b[1].c: 1\nd: null\ne: café'],
    ]);
  });

  it('reads JSON Lines value by value', async () => {
    expect(await blocks('{"a":1}\n{"a":2}\n', 'x.jsonl')).toEqual([['list', 'a: 1'], ['list', 'a: 2']]); // prettier-ignore
  });

  it('keeps numbers as they are written, however deep they stand', async () => {
    const source = '{"id":1234567890123456789,"price":1.10,"rate":-2.50e1,"n":7,"quote":"\\"1.10\\\\"}';
    expect(await blocks(source)).toEqual([
      ['list', 'id: 1234567890123456789\nprice: 1.10\nrate: -2.50e1\nn: 7\nquote: "1.10\\'],
    ]);
    expect((await parse(`{"a":1.10}\n{"a":2.50}\n`, 'x.jsonl')).text).toBe('a: 1.10\n\na: 2.50');
    expect((await parse(`${'['.repeat(6000)}1.10${']'.repeat(6000)}`, 'x.json')).text).toMatch(/: 1\.10$/);
    expect((await parse('{1.10: 2}', 'x.json')).text).toBe('{1.10: 2}');
  });

  it('survives nesting no program would write', async () => {
    const { text } = await parse('['.repeat(200_000) + '1' + ']'.repeat(200_000), 'deep.txt');
    expect(text.length).toBeGreaterThan(0);
  });
});

describe('HTML', () => {
  it('keeps the main content and leaves navigation, scripts and hidden parts out', async () => {
    const body = `<p>${'Long enough to be the content. '.repeat(10)}</p><ul><li>one<li>two</ul><pre>  a\n  b</pre>`;
    const page = `<html><head><title>T &amp; U</title></head><body><nav>menu</nav><script>var x</script><main><h1>Head</h1>
      ${body}<table><tr><th>k<th>v<tr><td>1<td><p>2</table><div hidden>secret</div></main><footer>legal</footer></body></html>`;
    const document = await parse(page);
    expect(document.title).toBe('T & U');
    expect(document.text).not.toMatch(/menu|var x|secret|legal/);
    expect((await blocks(page)).map(([kind]) => kind)).toEqual([
      'heading',
      'paragraph',
      'list',
      'list',
      'code',
      'table',
    ]);
    expect(document.text).toContain('  a\n  b');
    expect(document.text).toContain('k | v\n1 | 2');
  });

  it('falls back to everything when all of it stands in navigation', async () => {
    expect((await parse('<html><body><nav><p>only text</p></nav></body></html>')).text).toBe('only text');
  });

  const words = (about: string) => `<p>${`A sentence about ${about}. `.repeat(20)}</p>`;

  it('reads a form that holds the content of the page, and leaves out one that stands beside it', async () => {
    const inForm = `<html><body><a href="#c">Skip to content</a><form><nav>menu</nav>${words('herons')}</form></body></html>`;
    expect((await parse(inForm)).text).toMatch(/^Skip to content\s+A sentence about herons/);
    expect((await parse(inForm)).text).not.toContain('menu');
    const beside = `<html><body>${words('herons')}<form>Your address</form></body></html>`;
    expect((await parse(beside)).text).not.toContain('address');
  });

  it.each([
    ['comments', '<article class="comment-body">', 1],
    ['teasers', '<article>', 12],
  ])('does not take the %s for the content when the post stands outside of an article', async (_, article, length) => {
    const others = `${article}${words('newts')}</article>`;
    const page = `<html><body><div class="post">${words('herons').repeat(length)}</div>${others}</body></html>`;
    expect((await parse(page)).text).toContain('herons');
  });

  it.each([
    [
      'short, beside long menus',
      `<nav>${words('menus')}</nav><main><p>Ring us up before nine.</p></main><footer>${words('menus')}</footer>`,
    ],
    [
      'named as the main part, beside a long banner',
      `<main>${words('herons')}</main><div>${words('menus').repeat(9)}</div>`,
    ],
  ])('leaves out what stands around a content that is %s', async (_, body) => {
    const { text } = await parse(`<html><body>${body}</body></html>`);
    expect(text).toMatch(/herons|before nine/);
    expect(text).not.toContain('menus');
  });
});

describe('Word', () => {
  it('reads headings from styles, leaves deleted text out and puts a footnote after its paragraph', async () => {
    const styles = '<w:styles><w:style w:styleId="U"><w:name w:val="heading 2"/></w:style></w:styles>';
    const notes =
      '<w:footnotes><w:footnote w:id="1"><w:p><w:r><w:t>A note.</w:t></w:r></w:p></w:footnote></w:footnotes>';
    const file = docxOf(
      '<w:p><w:pPr><w:pStyle w:val="U"/></w:pPr><w:r><w:t>Head</w:t></w:r></w:p>' +
        '<w:p><w:r><w:t>Body</w:t><w:footnoteReference w:id="1"/></w:r><w:del><w:r><w:delText>gone</w:delText></w:r></w:del></w:p>' +
        '<w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>b</w:t></w:r></w:p></w:tc></w:tr></w:tbl>',
      [
        { name: 'word/styles.xml', content: styles },
        { name: 'word/footnotes.xml', content: notes },
      ],
    );
    expect(await blocks(file)).toEqual([['heading', 'Head'], ['paragraph', 'Body[1]'], ['paragraph', '[1] A note.'], ['table', 'a | b']]); // prettier-ignore
  });

  it('expands no entity a document type declares', async () => {
    const bomb = '<!DOCTYPE x [<!ENTITY a "boom"><!ENTITY b "&a;&a;&a;">]><w:p><w:r><w:t>[&b;]</w:t></w:r></w:p>';
    expect((await parse(docxOf(bomb))).text).not.toContain('boom');
  });
});

describe('Text', () => {
  it.each([
    [
      'windows-1252',
      Buffer.from(
        'Le caf\xe9 \xe0 la cr\xe8me co\xfbte tr\xe8s cher \xe0 No\xebl, m\xeame \xe0 l\x92\xe9t\xe9.',
        'latin1',
      ),
      'café à la crème',
    ],
    ['UTF-16BE with a mark', Buffer.from('\ufeffGrüße', 'utf16le').swap16(), 'Grüße'],
    ['UTF-16 without a mark', Buffer.from('Привет, мир! Это обычный текст.', 'utf16le'), 'Привет, мир'],
    ['UTF-8 with a mark', Buffer.from('\ufeffGrüße'), 'Grüße'],
    [
      'UTF-8 with damage',
      Buffer.concat([Buffer.from('Überraschung für älteres Gemüse'), Buffer.from([0xff])]),
      'Überraschung für',
    ],
    [
      'Shift_JIS',
      Buffer.from('93fa967b8cea82cc95b68e9a97f182f08ea993ae93498e9694bb95ca82b782e9838983438375838983', 'hex'),
      '日本語の文字列',
    ],
    ['ISO-2022-JP', Buffer.from('1b2442467c4b5c386c1b2842206f6b201b24424a383b7a4e731b2842', 'hex'), '日本語 ok 文字列'],
    [
      'UTF-8 with damage and umlauts behind a long stretch of ASCII',
      Buffer.concat([
        Buffer.from(`${'plain line\n'.repeat(7000)}Ende: `),
        Buffer.from([0xff]),
        Buffer.from(` Überraschung für älteres Gemüse`),
      ]),
      'Überraschung für älteres',
    ],
    [
      'windows-1251 behind a long stretch of ASCII',
      Buffer.concat([
        Buffer.from('plain line\n'.repeat(7000)),
        Buffer.from(
          'cff0e8e2e5f22c20ece8f02120ddf2ee20eee1fbf7edfbe920f2e5eaf1f220ede020f0f3f1f1eaeeec20ffe7fbeae52e',
          'hex',
        ),
      ]),
      'Привет, мир',
    ],
    [
      'KOI8-R',
      Buffer.from(
        'f0d2c9d7c5d42c20cdc9d22120fcd4cf20cfc2d9deced9ca20d4c5cbd3d420cec120d2d5d3d3cbcfcd20d1dad9cbc52e',
        'hex',
      ),
      'Привет, мир',
    ],
  ])('decodes %s', async (_, bytes, phrase) => {
    expect((await parse(bytes)).text).toContain(phrase);
  });

  it('removes NUL, repairs lone surrogates and unifies line ends', async () => {
    const { text } = await parse(Buffer.from('\ufeffa\0b\r\nc\ud800d\re', 'utf16le'));
    expect(text).toBe('ab\nc\ufffdd\ne');
  });

  it.each([['nothing', ''], ['white space', ' \n\t\r\n'], ['a byte order mark', '\ufeff']])('refuses %s as empty', async (_, content) => {
    await expect(parse(content)).rejects.toMatchObject({ code: 'DOCUMENT.EMPTY' });
  }); // prettier-ignore
});

describe('Files that cannot be read', () => {
  it.each([
    [
      'DOCUMENT.ENCRYPTED',
      Buffer.concat([Buffer.from('d0cf11e0a1b11ae1', 'hex'), Buffer.from('EncryptedPackage', 'utf16le')]),
    ],
    ['DOCUMENT.UNSUPPORTED', Buffer.from('d0cf11e0a1b11ae1', 'hex')],
    ['DOCUMENT.UNSUPPORTED', zipOf([{ name: 'a.txt', content: 'a' }])],
    ['DOCUMENT.UNSUPPORTED', Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')],
    ['DOCUMENT.CORRUPT', Buffer.from('%PDF-1.7\nno pdf at all')],
    ['DOCUMENT.NO_TEXT', docxOf('<w:p/>')],
    ['DOCUMENT.CORRUPT', docxOf('<w:p/>', [{ name: '../../etc/passwd', content: 'x' }])],
    ['DOCUMENT.CORRUPT', docxOf('<w:p/>', [{ name: '/etc/passwd', content: 'x' }])],
    ['DOCUMENT.CORRUPT', docxOf('<w:p/>', [{ name: 'link', content: '/etc/passwd', mode: 0o120777 }])],
    ['DOCUMENT.CORRUPT', docxOf('<w:p/>', [{ name: 'word/document.xml', content: 'twice' }])],
  ])('says %s (%#)', async (code, bytes) => {
    await expect(parse(bytes)).rejects.toMatchObject({ code });
  });
});

describe('Zip limits', () => {
  const open = (bytes: Buffer) =>
    parseDocument({ bytes }, { ...defaultParserLimits, maxInflatedBytes: 1_000_000, maxZipEntries: 100 });
  const zeros = Buffer.alloc(2_000_000);
  const named = (limit: string) => ({ code: 'DOCUMENT.LIMIT_EXCEEDED', details: { limit } });

  it('stops at the declared size before anything is inflated', async () => {
    await expect(open(docxOf('', [{ name: 'word/media/x', content: zeros }]))).rejects.toMatchObject(
      named('inflated bytes'),
    );
  });

  it('does not trust the declared size', async () => {
    const liar = zipOf([contentTypes, { name: 'word/document.xml', content: zeros, claimedSize: 1000 }]);
    await expect(open(liar)).rejects.toMatchObject({ code: expect.stringMatching(/LIMIT_EXCEEDED|CORRUPT/) });
  });

  it('names the compression ratio of a bomb', async () => {
    const bomb = docxOf('', [{ name: 'word/media/x', content: Buffer.alloc(20_000_000) }]);
    await expect(parse(bomb)).rejects.toMatchObject(named('compression ratio'));
  });

  it('counts entries', async () => {
    const many = Array.from({ length: 101 }, (_, index) => ({ name: `p${index}`, content: '' }));
    await expect(open(zipOf([contentTypes, ...many]))).rejects.toMatchObject(named('zip entries'));
  });
});
