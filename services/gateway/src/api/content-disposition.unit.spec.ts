import { describe, expect, it } from '@jest/globals';
import { attachment } from './content-disposition.js';

describe('attachment', () => {
  it.each([
    ['report.pdf', `attachment; filename="report.pdf"; filename*=UTF-8''report.pdf`],
    ['../../etc/passwd', `attachment; filename="passwd"; filename*=UTF-8''passwd`],
    ['a"\r\nSet-Cookie: x', `attachment; filename="a___Set-Cookie: x"; filename*=UTF-8''a%22%0D%0ASet-Cookie%3A%20x`],
    ['naïve.txt', `attachment; filename="na_ve.txt"; filename*=UTF-8''na%C3%AFve.txt`],
    ["o'clock (1).md", `attachment; filename="o'clock (1).md"; filename*=UTF-8''o%27clock%20%281%29.md`],
  ])('names %j safely for old and new clients', (name, header) => {
    expect(attachment(name)).toBe(header);
  });
});
