import { describe, expect, it } from '@jest/globals';
import { RagmeshError } from '@ragmesh/errors';
import { reportUnexpected } from './error-reports.js';
import { createLogger } from './logger.js';
import { inContext } from './request-context.js';

const quoted = 'invalid byte sequence in "the text of a document"\n    at somewhere (planted.js:1:1)';

function linesOf(thrown: unknown): Record<string, string>[] {
  const lines: string[] = [];
  const logger = createLogger('document', 'info', { write: (line: string) => void lines.push(line) });
  inContext({ requestId: 'request-1', tenant: 'acme', subject: 'ada' }, () =>
    reportUnexpected(thrown, { service: 'document', where: '/ragmesh.document.v1.DocumentService/Upload' }, logger),
  );
  return lines.map((line) => JSON.parse(line) as Record<string, string>);
}

describe('an error nobody foresaw', () => {
  it('is a log line that says what, where and for which request, and quotes nothing', () => {
    const error = Object.assign(new TypeError(quoted), { code: '22021' });
    const [line, ...further] = linesOf(error);
    expect(further).toEqual([]);
    const place = { where: '/ragmesh.document.v1.DocumentService/Upload', request_id: 'request-1', tenant: 'acme' };
    expect(line).toMatchObject({ level: 'error', code: 'INTERNAL.UNEXPECTED', reason: 'TypeError 22021', ...place });
    expect(line!['stack']).toContain('error-reports.unit.spec');
    expect(JSON.stringify(line)).not.toMatch(/the text of|planted/);
  });

  it('is none when somebody foresaw it', () => {
    expect(linesOf(new RagmeshError('DOCUMENT.EMPTY', 'The document has no text.'))).toEqual([]);
  });
});
