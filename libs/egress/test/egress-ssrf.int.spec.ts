import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { at, clientWith, failureOf, get, textOf } from './egress-fixture.js';
import { startOrigin, type Origin } from './origin.js';

/** Nobody on the internet may reach this one through us. */
let internal: Origin;
/** Allowed by the operator; sends its visitors wherever the path says. */
let allowed: Origin;
let ports: string;

beforeAll(async () => {
  internal = await startOrigin((_request, response) => response.end('internal'));
  allowed = await startOrigin((request, response) => {
    const target = new URL(request.url!, 'http://origin').searchParams.get('to');
    if (target === null) return void response.end('allowed');
    response.writeHead(302, { location: target }).end();
  });
  ports = `80,443,${internal.port}`;
});
afterAll(() => Promise.all([internal.close(), allowed.close()]));

const CLOSED =
  'The URL names a host that nothing is fetched from: it is unknown, or one of its addresses is not public.';
const REDIRECT = 'The URL redirects to an address that nothing is fetched from.';

describe('a URL into the own network', () => {
  const spellings = [
    ...[
      '127.0.0.1',
      '127.1',
      '127.0.1',
      '2130706433',
      '0x7f000001',
      '0x7f.1',
      '017700000001',
      '0177.0.0.1',
      '0x7F.0.0.01',
    ],
    ...['127.0.0.1.', '127.255.255.254', '0', '0.0.0.0', '①②⑦.⓪.⓪.①', '127。0。0。1', '%31%32%37.0.0.1'],
    ...['localhost', 'LOCALHOST', 'localhost.', 'ⓛocalhost'],
    ...[
      '[::1]',
      '[::]',
      '[0:0:0:0:0:0:0:1]',
      '[::ffff:127.0.0.1]',
      '[::ffff:7f00:1]',
      '[::127.0.0.1]',
      '[64:ff9b::7f00:1]',
    ],
    ...['[2002:7f00:1::]', '[fe80::1]', '[fd00:ec2::254]', '[ff02::1]', '169.254.169.254', '2852039166', '0xA9FEA9FE'],
    ...[
      '10.0.0.1',
      '172.16.0.1',
      '192.168.0.1',
      '100.100.100.200',
      '192.0.0.192',
      '168.63.129.16',
      '224.0.0.1',
      '255.255.255.255',
    ],
  ];

  it.each(spellings)('is refused when it names %s, in the same words as a host that is not there', async (host) => {
    const client = clientWith({ EGRESS_PORTS: ports });
    for (const port of [internal.port, 80]) {
      const failure = await failureOf(get(client, `http://${host}:${port}/latest/meta-data`));
      expect(failure).toMatchObject({ code: 'EGRESS.REFUSED', message: CLOSED, details: {} });
    }
    expect(internal.requests).toHaveLength(0);
  });

  it('is refused in these words when its name is unknown', async () => {
    const unknown = Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });
    const client = clientWith({}, () => Promise.reject(unknown));
    expect(await failureOf(get(client, 'http://db.corp/'))).toMatchObject({ code: 'EGRESS.REFUSED', message: CLOSED });
  });

  it('is refused when any address of its name is not public', async () => {
    for (const addresses of [at('8.8.8.8', '127.0.0.1'), at('2606:4700::1111', '::1'), at('fe80::1%eth0'), at()]) {
      const client = clientWith({ EGRESS_PORTS: ports }, () => Promise.resolve(addresses));
      expect(await failureOf(get(client, `http://rebind.example:${internal.port}/`))).toMatchObject({
        message: CLOSED,
      });
    }
    expect(internal.requests).toHaveLength(0);
  });

  it.each([
    ['file:///etc/passwd', /http:\/\/ or https:\/\//],
    ['gopher://127.0.0.1:6379/_INFO', /http:\/\/ or https:\/\//],
    ['ftp://example.org/a', /http:\/\/ or https:\/\//],
    ['data:text/plain,secret', /http:\/\/ or https:\/\//],
    ['javascript:alert(1)', /http:\/\/ or https:\/\//],
    ['//127.0.0.1/', /http:\/\/ or https:\/\//],
    ['http://', /http:\/\/ or https:\/\//],
    ['http://user:secret@example.org/', /user name or a password/],
    ['http://example.org@127.0.0.1/', /user name or a password/],
    ['http://example.org:22/', /port other than 80 and 443/],
    ['https://example.org:6379/', /port other than 80 and 443/],
  ])('is refused as %s, before any name is looked up', async (url, sentence) => {
    const client = clientWith({}, () => Promise.reject(new Error('looked up')));
    const failure = await failureOf(get(client, url));
    expect(failure).toMatchObject({ code: 'EGRESS.REFUSED', message: expect.stringMatching(sentence) });
    expect(failure.message).not.toContain('secret');
  });
});

describe('a redirect', () => {
  const client = (): ReturnType<typeof clientWith> =>
    clientWith({ EGRESS_ALLOW: `127.0.0.1:${allowed.port}`, EGRESS_PORTS: ports });
  const via = (target: string): string => `${allowed.url}/?to=${encodeURIComponent(target)}`;

  it.each([
    'http://169.254.169.254/latest/meta-data/',
    'http://localhost/',
    'http://[::1]/',
    'http://2130706433/',
    '//10.0.0.1/',
    'file:///etc/passwd',
    'gopher://127.0.0.1/',
    'http://user:pw@127.0.0.1/',
    'http://example.org:22/',
    'http://[::1',
  ])('to %s is refused like any other', async (target) => {
    expect(await failureOf(get(client(), via(target)))).toMatchObject({ code: 'EGRESS.REFUSED', message: REDIRECT });
  });

  it('to a server of the own network is refused, also at the end of a chain', async () => {
    const target = `http://127.0.0.1:${internal.port}/`;
    for (const url of [via(target), via(via(via(target)))])
      expect(await failureOf(get(client(), url))).toMatchObject({ message: REDIRECT });
    expect(internal.requests).toHaveLength(0);
  });

  it('is followed five times and no further; the path of the last one stands for all', async () => {
    const chain = (hops: number): string =>
      Array.from({ length: hops }).reduce<string>((url) => via(url), `${allowed.url}/report.pdf`);
    const fetched = await get(client(), chain(5));
    expect(fetched.url.pathname).toBe('/report.pdf');
    expect(await textOf(fetched)).toBe('allowed');
    expect(await failureOf(get(client(), chain(6)))).toMatchObject({ code: 'EGRESS.REJECTED', details: { limit: 5 } });
    expect(await textOf(await get(client(), via('/relative')))).toBe('allowed');
  });
});

describe('a name whose DNS answers change', () => {
  it('is resolved once for a connection, and the connection goes there and nowhere else', async () => {
    const elsewhere = await startOrigin((_request, response) => response.end('elsewhere'), '127.0.0.2');
    const answers = [at('127.0.0.1'), at('127.0.0.2')];
    const asked: string[] = [];
    const client = clientWith({ EGRESS_ALLOW: `127.0.0.1:${allowed.port},127.0.0.2:${elsewhere.port}` }, (host) => {
      asked.push(host);
      return Promise.resolve(answers.shift()!);
    });
    expect(await textOf(await get(client, `http://Rebind.Example.:${allowed.port}/`))).toBe('allowed');
    expect(asked).toEqual(['rebind.example']);
    expect(allowed.requests.at(-1)!.headers.host).toMatch(/^rebind\.example\.?:\d+$/);
    expect(elsewhere.requests).toHaveLength(0);
    await elsewhere.close();
  });

  it('is checked anew at each redirect', async () => {
    const answers = [at('127.0.0.1'), at('127.0.0.2')];
    const client = clientWith({ EGRESS_ALLOW: `127.0.0.1:${allowed.port}` }, () => Promise.resolve(answers.shift()!));
    expect(await failureOf(get(client, `http://rebind.example:${allowed.port}/?to=/again`))).toMatchObject({
      message: REDIRECT,
    });
  });
});

describe('the operator', () => {
  it('allows a host of the own network by name, and only on its port', async () => {
    const resolve = (): Promise<ReturnType<typeof at>> => Promise.resolve(at('127.0.0.1'));
    const client = clientWith({ EGRESS_ALLOW: `wiki.corp:${allowed.port}`, EGRESS_PORTS: ports }, resolve);
    expect(await textOf(await get(client, `http://wiki.corp:${allowed.port}/`))).toBe('allowed');
    expect(await failureOf(get(client, `http://other.corp:${allowed.port}/`))).toMatchObject({ message: CLOSED });
    expect(await failureOf(get(client, `http://wiki.corp:${internal.port}/`))).toMatchObject({ message: CLOSED });
  });

  it('closes the public internet by EGRESS_PUBLIC=false', async () => {
    const client = clientWith({ EGRESS_PUBLIC: 'false', EGRESS_ALLOW: `127.0.0.1:${allowed.port}` });
    expect(await textOf(await get(client, `${allowed.url}/`))).toBe('allowed');
    expect(await failureOf(get(client, 'https://8.8.8.8/'))).toMatchObject({ message: CLOSED });
  });

  it('has no name looked up that stays closed anyway: a name can carry words out', async () => {
    const asked: string[] = [];
    const resolve = (host: string): Promise<ReturnType<typeof at>> => {
      asked.push(host);
      return Promise.resolve(at('8.8.8.8'));
    };
    const client = clientWith({ EGRESS_PUBLIC: 'false', EGRESS_ALLOW: '*.corp' }, resolve);
    for (const host of ['stolen-words.attacker.example', 'corp'])
      expect(await failureOf(get(client, `http://${host}/`))).toMatchObject({ message: CLOSED });
    expect(asked).toEqual([]);
  });
});
