import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { eventually } from '@ragmesh/testing';
import { routeRoles } from '../src/auth/route-roles.js';
import type { GuardedMesh, Json, Reply } from './two-tenants.js';

/** The most that `AUTH_KEY_CACHE_SECONDS` may be, and what a busy machine may take besides. */
const CACHE_MAX_MS = 5_000 + 15_000;

/** API keys from making to revoking, on a running mesh. */
export function describeKeys(mesh: () => GuardedMesh): void {
  const get = (key: string, path: string): Promise<Reply> => mesh().as(key)({ method: 'GET', path });
  const post = (key: string, path: string, body: Json): Promise<Reply> =>
    mesh().as(key)({ method: 'POST', path, body });
  const rowOf = async (id: string): Promise<Json> => {
    const database = mesh().drivers.openDatabase('knowledge');
    const { rows } = await database.query<Json>('SELECT * FROM api_key WHERE id = $1', [id]);
    await database.close();
    return rows[0]!;
  };
  const change = async (id: string, what: string): Promise<void> => {
    const database = mesh().drivers.openDatabase('knowledge');
    await database.query(`UPDATE api_key SET ${what} WHERE id = $1`, [id]);
    await database.close();
  };
  const refusedSoon = async (key: string): Promise<Reply> => {
    const refusal = async () => {
      const reply = await get(key, '/v1/documents');
      return reply.status === 401 && reply;
    };
    return eventually('the key is refused', refusal, CACHE_MAX_MS);
  };

  describe('an API key', () => {
    it('is shown once and kept as a hash only', async () => {
      const { id, key } = await mesh().makeKey({ name: 'search box', tenant: 'keys', roles: ['reader', 'operator'] });
      expect(key).toMatch(new RegExp(`^rgm_${id}_[A-Za-z0-9_-]{43}$`));
      const admin = await mesh().makeKey({ name: 'admin', tenant: 'keys', roles: ['admin'] });
      const { text, json } = await get(admin.key, `/v1/admin/keys/${id}`);
      expect(json).toMatchObject({ id, tenant: 'keys', name: 'search box', roles: ['reader', 'operator'] });
      expect(json).toMatchObject({ created_by: 'key:first', last_used_at: null, revoked_at: null, expires_at: null });
      expect(text).not.toContain(key.slice(-43));
      expect(JSON.stringify(await rowOf(id))).not.toContain(key.slice(-43));
    });

    it('permits what its role does, and gives no role it has not', async () => {
      const { key } = await mesh().makeKey({ name: 'writer', tenant: 'keys', roles: ['writer'] });
      expect((await get(key, '/v1/documents')).status).toBe(200);
      expect((await post(key, '/v1/documents', { text: 'by a writer' })).status).toBe(202);
      expect((await get(key, '/v1/admin/keys')).status).toBe(403);
      expect((await get(key, '/v1/admin/models')).status).toBe(403);
      const admin = await mesh().makeKey({ name: 'admin', tenant: 'keys', roles: ['admin'] });
      const make = (body: Json): Promise<Reply> => post(admin.key, '/v1/admin/keys', { name: 'more', ...body });
      expect((await make({ roles: ['operator'] })).json).toMatchObject({ status: 403, code: 'AUTH.FORBIDDEN' });
      expect((await make({ roles: ['reader'], tenant: 'other' })).json).toMatchObject({ code: 'AUTH.FORBIDDEN' });
      expect((await get(admin.key, '/v1/admin/keys?tenant=other')).json).toMatchObject({ code: 'AUTH.FORBIDDEN' });
      expect((await make({ roles: ['writer'], tenant: 'keys' })).status).toBe(201);
      expect((await make({ roles: ['root'] })).json).toMatchObject({ status: 422, field: 'roles[0]' });
      expect((await make({ roles: ['reader'], tenant: '../etc' })).json).toMatchObject({
        status: 422,
        field: 'tenant',
      });
      const late = { roles: ['reader'], expires_at: '2020-01-01T00:00:00Z' };
      expect((await make(late)).json).toMatchObject({ status: 422, field: 'expires_at' });
    });

    it('is refused at once when it was revoked here, and within the cache time when elsewhere', async () => {
      const admin = await mesh().makeKey({ name: 'admin', tenant: 'keys', roles: ['admin'] });
      const [here, elsewhere] = [
        await mesh().makeKey({ name: 'here', tenant: 'keys', roles: ['reader'] }),
        await mesh().makeKey({ name: 'elsewhere', tenant: 'keys', roles: ['reader'] }),
      ];
      for (const { key } of [here, elsewhere]) expect((await get(key, '/v1/documents')).status).toBe(200);
      const revoke = (id: string): Promise<Reply> =>
        mesh().as(admin.key)({ method: 'DELETE', path: `/v1/admin/keys/${id}` });
      expect((await revoke(here.id)).status).toBe(204);
      expect((await get(here.key, '/v1/documents')).status).toBe(401);
      expect((await revoke(here.id)).status).toBe(204);
      expect((await revoke('0123456789abcdef')).json).toMatchObject({ status: 404, code: 'KEY.NOT_FOUND' });
      await change(elsewhere.id, 'revoked_at = now()');
      const refused = await refusedSoon(elsewhere.key);
      expect(refused.json).toMatchObject({ status: 401, code: 'AUTH.INVALID' });
      const unknown = await get(`rgm_0123456789abcdef_${'x'.repeat(43)}`, '/v1/documents');
      const wrong = await get(`${here.key.slice(0, -1)}${here.key.endsWith('A') ? 'B' : 'A'}`, '/v1/documents');
      const told = ({ json: { request_id: _, trace_id: __, ...rest } }: Reply): Json => rest;
      expect(told(unknown)).toEqual(told(refused));
      expect(told(wrong)).toEqual(told(refused));
    });

    it('ends when it expires', async () => {
      const expires_at = new Date(Date.now() + 3_600_000).toISOString();
      const { id, key } = await mesh().makeKey({ name: 'short', tenant: 'keys', roles: ['reader'], expires_at });
      expect((await get(key, '/v1/documents')).status).toBe(200);
      await change(id, 'expires_at = now()');
      expect((await refusedSoon(key)).json).toMatchObject({ status: 401, code: 'AUTH.INVALID' });
    });

    it('says when it was used, written at most once a minute', async () => {
      const { id, key } = await mesh().makeKey({ name: 'used', tenant: 'keys', roles: ['reader'] });
      await get(key, '/v1/documents');
      const first = (await rowOf(id))['last_used_at'];
      expect(first).toBeInstanceOf(Date);
      await delay(1_100); // longer than the key is remembered
      await get(key, '/v1/documents');
      expect((await rowOf(id))['last_used_at']).toEqual(first);
      await change(id, `last_used_at = now() - interval '2 minutes'`);
      await delay(1_100);
      await get(key, '/v1/documents');
      expect(Date.now() - ((await rowOf(id))['last_used_at'] as Date).getTime()).toBeLessThan(60_000);
    });

    it('that is guessed is looked up as often as guesses may fail, however many come at once', async () => {
      const guesses = Array.from({ length: 100 }, (_, number) =>
        mesh().as(`rgm_guessed_${String(number).padStart(43, 'g')}`)(
          { method: 'GET', path: '/v1/documents' },
          { 'x-forwarded-for': '192.0.2.20' }, // an address of its own, so that nobody else has to wait
        ),
      );
      const codes = (await Promise.all(guesses)).map(({ json }) => json['code']);
      expect(codes.filter((code) => code === 'AUTH.INVALID')).toHaveLength(20);
      expect(codes.filter((code) => code === 'AUTH.TOO_MANY_ATTEMPTS')).toHaveLength(80);
    });

    it('that is guessed a thousand times from as many addresses is refused as if from one, and holds for its owner', async () => {
      const { id, key } = await mesh().makeKey({ name: 'guessed', tenant: 'keys', roles: ['reader'] });
      const other = await mesh().makeKey({ name: 'at peace', tenant: 'keys', roles: ['reader'] });
      const from = (address: string, credential: string): Promise<Reply> =>
        mesh().as(credential)({ method: 'GET', path: '/v1/documents' }, { 'x-forwarded-for': address });
      const replies: Reply[] = [];
      for (let round = 0; round < 20; round += 1) {
        const tries = Array.from({ length: 50 }, (_, number) =>
          from(`10.1.${round}.${number}`, `rgm_${id}_${String(50 * round + number).padStart(43, 'g')}`),
        );
        replies.push(...(await Promise.all(tries)));
      }
      expect(replies.filter(({ json }) => json['code'] === 'AUTH.INVALID')).toHaveLength(20);
      expect(replies.filter(({ json }) => json['code'] === 'AUTH.TOO_MANY_ATTEMPTS')).toHaveLength(980);
      expect(Number(replies.at(-1)!.headers['retry-after'])).toBeGreaterThan(0);
      expect((await from('10.1.99.1', key)).status).toBe(200); // never seen before, so nobody remembers it
      expect((await from('10.1.99.2', `rgm_${other.id}_${'g'.repeat(43)}`)).status).toBe(401);
    });

    it('stands in no line of the log, whether it holds or not', async () => {
      const { id, key } = await mesh().makeKey({ name: 'quiet', tenant: 'keys', roles: ['reader'] });
      const secrets = [key, `rgm_0123456789abcdef_${'q'.repeat(43)}`, mesh().bootstrapKey];
      for (const secret of secrets) await get(secret, '/v1/admin/keys');
      const log = await readFile(mesh().logFile, 'utf8');
      expect(log).toContain('A credential was refused');
      for (const secret of secrets) expect(log).not.toContain(secret.split('_').slice(2).join('_'));
      expect(JSON.stringify(await rowOf(id))).not.toContain(key);
    });

    it('is listed in pages, newest first', async () => {
      const admin = await mesh().makeKey({ name: 'admin', tenant: 'paged', roles: ['admin'] });
      for (const name of ['one', 'two', 'three', 'four'])
        await post(admin.key, '/v1/admin/keys', { name, roles: ['reader'] });
      const names: string[] = [];
      for (let cursor: unknown = ''; cursor !== null;) {
        const { json } = await get(admin.key, `/v1/admin/keys?limit=2&cursor=${String(cursor)}`);
        names.push(...(json['data'] as { name: string }[]).map(({ name }) => name));
        cursor = json['next_cursor'];
      }
      expect(names).toEqual(['four', 'three', 'two', 'one', 'admin']);
    });
  });

  describe('a token of the identity provider', () => {
    it('opens what its roles permit, and no more', async () => {
      const token = await mesh().identity.token({ tenant: 'keys', roles: ['reader'] });
      expect((await get(token, '/v1/documents')).status).toBe(200);
      for (const [route, access] of Object.entries(routeRoles)) {
        if (['open', 'reader'].includes(access)) continue;
        const [method = '', path = ''] = route.split(' ');
        const { status, json, headers } = await mesh().as(token)({ method, path: path.replaceAll(/:\w+/g, 'some') });
        expect({ route, status, code: json['code'] }).toEqual({ route, status: 403, code: 'AUTH.FORBIDDEN' });
        expect(headers['www-authenticate']).toBe(
          `Bearer realm="ragmesh", error="insufficient_scope", scope="${access}"`,
        );
      }
    });
  });

  describe('an Idempotency-Key', () => {
    it.each(['/v1/documents', '/documents'])('of one caller is not the same one of another: POST %s', async (path) => {
      const writer = async (): Promise<string> =>
        (await mesh().makeKey({ name: 'writer', tenant: 'twice', roles: ['writer'] })).key;
      const body = { text: `Two send the same to ${path}.`, access: ['role:writer'] };
      const [one, other] = [await writer(), await writer()];
      const send = async (key: string): Promise<Json> =>
        (await mesh().as(key)({ method: 'POST', path, body }, { 'idempotency-key': `same ${path}` })).json;
      const first = await send(one);
      expect(first).toMatchObject({ id: expect.any(String), deduplicated: false });
      expect(await send(one)).toEqual(first);
      expect(await send(other)).not.toEqual(first);
    });
  });
}
