import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { secureExample } from './certificate.js';
import { at, clientWith, failureOf, get, textOf } from './egress-fixture.js';

const trusted = getCACertificates('default');
const server = createServer(secureExample, ({ url }, response) => {
  if (url === '/down') response.writeHead(302, { location: `http://secure.example:${port}/` }).end();
  else if (url === '/up') response.writeHead(302, { location: '/' }).end();
  else response.end('secure');
});
let port: number;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => {
  setDefaultCACertificates(trusted);
  server.closeAllConnections();
  server.close();
});

const client = (): ReturnType<typeof clientWith> =>
  clientWith({ EGRESS_ALLOW: `127.0.0.1:${port}` }, () => Promise.resolve(at('127.0.0.1')));

describe('https', () => {
  it('is refused while nobody vouches for the certificate', async () => {
    expect(await failureOf(get(client(), `https://secure.example:${port}/`))).toMatchObject({
      code: 'EGRESS.REJECTED',
      message: 'The server of the URL proves by no valid certificate that it is the one named.',
    });
  });

  it('checks the certificate against the name, wherever the connection was pinned to', async () => {
    setDefaultCACertificates([...trusted, secureExample.cert]);
    expect(await textOf(await get(client(), `https://secure.example.:${port}/up`))).toBe('secure');
    expect(await failureOf(get(client(), `https://other.example:${port}/`))).toMatchObject({ code: 'EGRESS.REJECTED' });
    expect(await failureOf(get(client(), `https://127.0.0.1:${port}/`))).toMatchObject({ code: 'EGRESS.REJECTED' });
  });

  it('is not left for http by a redirect', async () => {
    expect(await failureOf(get(client(), `https://secure.example:${port}/down`))).toMatchObject({
      code: 'EGRESS.REFUSED',
      message: 'The URL redirects to an address that nothing is fetched from.',
    });
  });
});
