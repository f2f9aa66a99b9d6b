import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { request } from 'node:http';
import { startEdgeAlone, type EdgeAlone } from './edge-alone.js';

let edge: EdgeAlone;
beforeAll(async () => void (edge = await startEdgeAlone()));
afterAll(() => edge.close());

/** Sends any header, which fetch does not. */
function ask(headers: Readonly<Record<string, string>>): Promise<{ status: number; code: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(`${edge.url}/v1/documents`, { headers }, (response) => {
      let body = '';
      response.on('data', (piece) => (body += String(piece)));
      response.on('end', () => {
        const { code = '' } = JSON.parse(body) as { code?: string };
        resolve({ status: response.statusCode!, code });
      });
    });
    outgoing.on('error', reject).end();
  });
}

describe('a server that asks nobody who they are', () => {
  it.each([
    ['a name that somebody points at this machine', { host: 'rebind.example:8080' }],
    ['a page of another site', { origin: 'https://evil.example' }],
    ['a page without a site', { origin: 'null' }],
    ['a page of another site that names none', { 'sec-fetch-site': 'cross-site' }],
  ])('answers nothing to %s', async (_, headers) => {
    expect(await ask(headers)).toEqual({ status: 403, code: 'AUTH.FOREIGN_PAGE' });
  });

  it.each([
    ['a program', {}],
    ['a program that calls it by name', { host: 'localhost:8080' }],
    ['its own pages', { origin: 'http://127.0.0.1:8080', 'sec-fetch-site': 'same-origin' }],
    [
      'a page of this machine, over IPv6',
      { host: '[::1]:8080', origin: 'http://localhost:3000', 'sec-fetch-site': 'same-site' },
    ],
  ])('answers %s', async (_, headers) => {
    expect((await ask(headers)).status).not.toBe(403);
  });
});
