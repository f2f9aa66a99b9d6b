import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { defineConfig, loadConfig } from '@ragmesh/config';
import { EgressClient, egressVariables, nameResolution, type NameSources } from '@ragmesh/egress';
import { eventually } from '@ragmesh/testing';
import { at, failureOf, get, textOf } from './egress-fixture.js';
import { startNameServer, type NameServer } from './name-server.js';
import { startOrigin, type Origin } from './origin.js';

const names: Readonly<Record<string, readonly string[]>> = {
  'fast.example': ['127.0.0.1'],
  'inside.example': ['169.254.169.254'],
  'both.example': ['127.0.0.1', '10.0.0.1'],
};

let origin: Origin;
let server: NameServer;
let folder: string;
let hostsFile: string;

beforeAll(async () => {
  origin = await startOrigin((_request, response) => response.end('content'));
  folder = await mkdtemp(join(tmpdir(), 'ragmesh-names-'));
  hostsFile = join(folder, 'hosts');
  await writeFile(hostsFile, '# 127.0.0.2 wiki\n127.0.0.1\tlocalhost Wiki # home\n::1 wiki\n10.0.0.1 db\n');
});
beforeEach(async () => {
  server = await startNameServer((name) => {
    if (name.startsWith('slow')) return 'silence';
    return name.startsWith('busy') ? 'refusal' : (names[name] ?? []);
  });
});
afterEach(() => server.close());
afterAll(async () => {
  await Promise.all([origin.close(), rm(folder, { recursive: true })]);
});

function clientOf(allow: string, sources: NameSources = {}): EgressClient {
  const environment = { EGRESS_ALLOW: allow, EGRESS_PORTS: `80,${origin.port}` };
  const config = loadConfig(defineConfig(egressVariables), environment);
  return new EgressClient(config, nameResolution(config, { servers: [server.address], hostsFile, ...sources }));
}
const addressOf = (host: string): string => `http://${host}:${origin.port}/`;

describe('names that nobody answers for', () => {
  it('hold up no other name, and are no longer asked for once nobody waits', async () => {
    const client = clientOf('127.0.0.1');
    const leave = new AbortController();
    let ended = 0;
    const slow = Array.from({ length: 50 }, (_, index) =>
      failureOf(get(client, addressOf(`slow-${index}.example`), leave.signal)).finally(() => (ended += 1)),
    );
    await eventually('all are asked for', () => new Set(server.asked).size === slow.length);
    expect(await textOf(await get(client, addressOf('fast.example')))).toBe('content');
    expect(ended).toBe(0);
    leave.abort();
    for (const failure of await Promise.all(slow)) expect(failure.code).toBe('REQUEST.CANCELLED');
  });

  it('end with their caller, not when a resolver gives up', async () => {
    const leave = new AbortController();
    const lookup = nameResolution({ EGRESS_ALLOW: [] }, { servers: [server.address] })('slow.example', leave.signal);
    await eventually('it is asked for', () => server.asked.length > 0);
    leave.abort();
    await expect(lookup).rejects.toMatchObject({ code: 'ECANCELLED' });
  });
});

describe('a name that users give', () => {
  it('is taken from the hosts file first, under the same rules as any other', async () => {
    const client = clientOf('127.0.0.1,::1');
    expect(await textOf(await get(client, addressOf('localhost')))).toBe('content');
    expect(await textOf(await get(client, addressOf('WIKI.')))).toBe('content');
    expect(await failureOf(get(client, addressOf('db')))).toMatchObject({ code: 'EGRESS.REFUSED' });
    expect(server.asked).toEqual([]);
  });

  it.each(['inside.example', 'both.example', 'unknown.example', `${'x'.repeat(64)}.example`])(
    'is refused when its DNS leads nowhere or inside: %s',
    async (name) => {
      expect(await failureOf(get(clientOf('127.0.0.1'), addressOf(name)))).toMatchObject({ code: 'EGRESS.REFUSED' });
    },
  );

  it('may be tried again when its name server would not answer, or is not there', async () => {
    const busy = await failureOf(get(clientOf(''), addressOf('busy.example')));
    expect(busy).toMatchObject({ code: 'EGRESS.UNAVAILABLE', retry: 'transient' });
    const gone = await startNameServer(() => []);
    await gone.close();
    const failure = await failureOf(get(clientOf('', { servers: [gone.address] }), addressOf('fast.example')));
    expect(failure).toMatchObject({ code: 'EGRESS.UNAVAILABLE', retry: 'transient' });
  });
});

it('a name that the operator lists is resolved as this machine does, with its search domains', async () => {
  const resolve = (allow: string) =>
    nameResolution(loadConfig(defineConfig(egressVariables), { EGRESS_ALLOW: allow }), {
      servers: [server.address],
      hostsFile: join(folder, 'none'),
    })('localhost', new AbortController().signal);
  expect(await resolve('localhost:8080')).toContainEqual(at('127.0.0.1')[0]);
  expect(server.asked).toEqual([]);
  await expect(resolve('127.0.0.1')).rejects.toMatchObject({ code: 'ENODATA' });
  expect(server.asked).toContain('localhost');
});
