import { describe, expect, it } from '@jest/globals';
import { contentTypes, relationships, zipOf } from '../../../../test/zip.builder.js';
import { parseDocument } from '../parse-document.js';
import { defaultParserLimits } from '../parser-limits.js';

const blocks = async (bytes: Buffer) => {
  const { text, blocks: found } = await parseDocument({ bytes }, defaultParserLimits);
  return found.map(({ kind, start, end }) => [kind, text.slice(start, end)]);
};

/** A workbook of one sheet. */
const workbook = (parts: { strings?: string; styles?: string; rows: string; settings?: string }) =>
  zipOf([
    contentTypes,
    {
      name: 'xl/workbook.xml',
      content: `<workbook>${parts.settings ?? ''}<sheets><sheet name="Sales_x0021_" r:id="r1"/></sheets></workbook>`,
    },
    {
      name: 'xl/_rels/workbook.xml.rels',
      content: relationships({
        r1: { type: 'worksheet', target: 'worksheets/sheet1.xml' },
        r2: { type: 'sharedStrings', target: 'sharedStrings.xml' },
        r3: { type: 'styles', target: '/xl/styles.xml' },
      }),
    },
    { name: 'xl/sharedStrings.xml', content: `<sst>${parts.strings ?? ''}</sst>` },
    { name: 'xl/styles.xml', content: `<styleSheet>${parts.styles ?? ''}</styleSheet>` },
    { name: 'xl/worksheets/sheet1.xml', content: `<worksheet>${parts.rows}</worksheet>` },
  ]);

describe('Excel', () => {
  it('reads sheets in order with shared strings, dates and empty cells', async () => {
    const file = workbook({
      strings: '<si><t>day</t></si><si><r><t>to</t></r><r><t>tal</t></r></si>',
      styles: '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>',
      rows:
        '<row><c r="A1" t="s"><v>0</v></c><c r="C1" t="inlineStr"><is><t>x</t></is></c></row>' +
        '<row><c r="A2" s="1"><v>45292</v></c><c r="C2"><v>7</v></c></row>',
    });
    expect(await blocks(file)).toEqual([['heading', 'Sales!'], ['table', 'day | x\n2024-01-01 | 7']]); // prettier-ignore
  });

  it('reads dates that count from 1904', async () => {
    const file = workbook({
      settings: '<workbookPr date1904="1"/>',
      styles: '<cellXfs><xf numFmtId="14"/></cellXfs>',
      rows: '<row><c s="0"><v>43830</v></c><c s="0"><v>0.5</v></c><c s="0"><v>1.25</v></c></row>',
    });
    expect((await blocks(file))[1]).toEqual(['table', '2024-01-01 | 12:00:00 | 1904-01-02 06:00:00']);
  });

  it.each([
    ['37:30:00', 'a built-in duration', '<xf numFmtId="46"/>', '1.5625'],
    ['37:30:00', 'hours beyond a day', '<xf numFmtId="164"/>', '1.5625'],
    ['-1:30:05', 'minutes beyond an hour', '<xf numFmtId="165"/>', '-0.06255787'],
    ['1900-01-01 13:30:00', 'a coloured date', '<xf numFmtId="166"/>', '1.5625'],
    ['1.5625', 'a quoted unit', '<xf numFmtId="167"/>', '1.5625'],
    ['2024-01-01', 'a Japanese era', '<xf numFmtId="27"/>', '45292'],
    ['2024-01-01', 'a Korean date', '<xf numFmtId="58"/>', '45292'],
    ['45292', 'a number under the id of a date', '<xf numFmtId="50"/>', '45292'],
  ])('writes %s for %s', async (expected, _, style, value) => {
    const codes = { 164: '[h]:mm', 165: '[mm]:ss', 166: '[Red]d/m/yy', 167: '0.00&quot;[h]&quot;', 50: '0.00' };
    const formats = Object.entries(codes).map(([id, code]) => `<numFmt numFmtId="${id}" formatCode="${code}"/>`);
    const file = workbook({
      styles: `<numFmts>${formats.join('')}</numFmts><cellXfs>${style}</cellXfs>`,
      rows: `<row><c s="0"><v>${value}</v></c></row>`,
    });
    expect((await blocks(file))[1]).toEqual(['table', expected]);
  });

  it('undoes the escapes of characters XML cannot hold, whatever kind of string has them', async () => {
    const file = workbook({
      strings: '<si><t>one_x000D_&#10;two</t></si><si><t>a_x005F_x000D_b</t></si>',
      rows:
        '<row><c t="s"><v>0</v></c><c t="s"><v>1</v></c><c t="str"><v>c_x0009_d</v></c>' +
        '<c t="inlineStr"><is><t>snake_xylo_case</t></is></c></row>',
    });
    expect((await blocks(file))[1]).toEqual(['table', 'one two | a_x000D_b | c d | snake_xylo_case']);
  });
});
