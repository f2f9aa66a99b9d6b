import { describe, expect, it } from '@jest/globals';
import { remoteFileName } from './remote-file-name.js';

const named = (path: string, contentDisposition = '', contentType = ''): string =>
  remoteFileName({ url: new URL(path, 'https://docs.example'), contentDisposition, contentType });

describe('remoteFileName', () => {
  it.each([
    ['the path', named('/a/b/Notice%20period.pdf?x=1#y'), 'Notice period.pdf'],
    ['a quoted name', named('/get?id=7', 'attachment; filename="annual report.pdf"'), 'annual report.pdf'],
    ['escaped quotes', named('/get', 'attachment; filename="a\\"b.pdf"'), 'a"b.pdf'],
    ['a bare name', named('/get', 'inline;filename=report.pdf; size=3'), 'report.pdf'],
    [
      'the extended name before the plain one',
      named('/', `attachment; filename="x.md"; filename*=UTF-8''%C3%BC.md`),
      'ü.md',
    ],
    [
      'UTF-8 that came as Latin-1',
      named('/', `attachment; filename="${Buffer.from('ü.md').toString('latin1')}"`),
      'ü.md',
    ],
    ['Latin-1', named('/', 'attachment; filename="\u00fc.md"'), 'ü.md'],
    ['a declared text type', named('/readme', '', 'Text/Markdown; charset=utf-8'), 'readme.md'],
    ['no type where the bytes tell', named('/readme', '', 'application/pdf'), 'readme'],
    ['the host, when nothing else does', named('/'), 'docs.example'],
    ['no folder', named('/', 'attachment; filename="../../etc/passwd"'), 'passwd'],
    ['no folder of Windows', named('/', String.raw`attachment; filename*=UTF-8''C%3A%5Ctemp%5Ca.txt`), 'a.txt'],
    ['nothing invisible', named('/a%00b%E2%80%AE%0Atxt.pdf'), 'abtxt.pdf'],
    ['a wrong escape as it is', named('/100%.pdf'), '100%.pdf'],
  ])('takes %s', (_what, name, expected) => expect(name).toBe(expected));

  it('keeps the end of an overlong name, which holds the extension', () => {
    const name = named(`/${'x'.repeat(500)}.pdf`);
    expect(name).toHaveLength(200);
    expect(name).toMatch(/x\.pdf$/);
  });
});
