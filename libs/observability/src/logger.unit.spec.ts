import { describe, expect, it } from '@jest/globals';
import { connect } from 'node:net';
import { RagmeshError } from '@ragmesh/errors';
import { createLogger, nestLogger, type Logger } from './logger.js';

/** What a logger writes. */
function lines(write: (logger: Logger) => void): { readonly text: string; readonly all: Record<string, unknown>[] } {
  let text = '';
  write(createLogger('document', 'info', { write: (line) => void (text += line) }));
  const all = text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { text, all };
}

/** What a parser throws: it quotes what it read. */
function parserError(): unknown {
  try {
    return JSON.parse('The merger with Acme');
  } catch (error) {
    return error;
  }
}

const refusedConnection = (): Promise<Error> =>
  new Promise((resolve) => void connect(1, '127.0.0.1').once('error', resolve));

describe('the log', () => {
  it('never quotes what a parser or a driver stumbled over, neither as an error nor as its cause', () => {
    const driverError = Object.assign(new Error('Failing row contains (The merger)'), {
      code: '23502',
      detail: 'Failing row contains (d1, The merger with Acme, null).',
    });
    const { text, all } = lines((logger) => {
      for (const cause of [parserError(), driverError, 'The merger']) {
        logger.warn({ err: cause }, 'It will be tried again');
        logger.warn({ err: new RagmeshError('INTERNAL.UNEXPECTED', 'Something broke.', {}, { cause }) }, 'It failed');
        if (!(cause instanceof Error)) continue;
        nestLogger(logger).error(cause);
        nestLogger(logger).error(cause.message, cause.stack);
      }
    });
    expect(all).toHaveLength(10);
    expect(text).not.toContain('The mer');
    expect(all[0]!['err']).toMatchObject({ type: 'SyntaxError', stack: expect.stringMatching(/^at /) });
    expect(all[1]!['err']).toMatchObject({
      type: 'RagmeshError',
      code: 'INTERNAL.UNEXPECTED',
      message: 'Something broke.',
      cause: { type: 'SyntaxError' },
    });
    expect(all[4]!['err']).toMatchObject({ type: 'Error', code: '23502' });
  });

  it('says where the operating system could not connect', async () => {
    const err = await refusedConnection();
    const { all } = lines((logger) => logger.warn({ err }, 'It will be tried again'));
    expect(all[0]!['err']).toMatchObject({ code: 'ECONNREFUSED', message: expect.stringContaining('127.0.0.1:1') });
  });

  it('follows causes that name each other to an end', () => {
    const [one, other] = [new Error('one'), new Error('other')];
    [one.cause, other.cause] = [other, one];
    expect(lines((logger) => logger.warn({ err: one }, 'It failed')).all).toHaveLength(1);
  });
});
