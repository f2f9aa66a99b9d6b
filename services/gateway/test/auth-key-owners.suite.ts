import { describe, expect, it } from '@jest/globals';
import { eventually } from '@ragmesh/testing';
import type { GuardedMesh, Json, Reply } from './two-tenants.js';

/** Of none but this suite, whose refusals then make nobody else wait. */
const ownAddress = { 'x-forwarded-for': '192.0.2.30' };

/** The most that `AUTH_KEY_CACHE_SECONDS` may be, and what a busy machine may take besides. */
const CACHE_MAX_MS = 5_000 + 15_000;

/** Whose keys are, and that they end with him. */
export function describeKeyOwners(mesh: () => GuardedMesh): void {
  const get = (key: string, path: string): Promise<Reply> => mesh().as(key)({ method: 'GET', path }, ownAddress);
  const make = (key: string, body: Json): Promise<Reply> =>
    mesh().as(key)(
      { method: 'POST', path: '/v1/admin/keys', body: { name: 'made', roles: ['admin'], ...body } },
      ownAddress,
    );
  const remove = (key: string, user: string): Promise<Reply> =>
    mesh().as(key)({ method: 'DELETE', path: `/v1/admin/users/${encodeURIComponent(user)}` });
  const adminOf = async (tenant: string): Promise<string> =>
    (await mesh().makeKey({ name: 'admin', tenant, roles: ['admin'] })).key;
  const madeBy = async (key: string, body: Json): Promise<{ id: string; key: string }> => {
    const { status, json } = await make(key, body);
    expect(status).toBe(201);
    return json as { id: string; key: string };
  };

  describe('the owner of an API key', () => {
    it('is whom the key names, else the owner of the key or token it was made with', async () => {
      const admin = await adminOf('owners');
      const ada = await madeBy(admin, { owner: 'ada@example.org' });
      const second = await madeBy(ada.key, {});
      const third = await madeBy(second.key, {});
      for (const { id } of [ada, second, third])
        expect((await get(admin, `/v1/admin/keys/${id}`)).json).toMatchObject({ id, owner: 'ada@example.org' });
      expect((await get(admin, `/v1/admin/keys/${third.id}`)).json).toMatchObject({ created_by: `key:${second.id}` });
      const token = await mesh().identity.token({ tenant: 'owners', sub: 'ben', roles: ['admin'] });
      expect((await make(token, {})).json).toMatchObject({ owner: 'jwt:ben' });
      const { json } = await get(admin, '/v1/admin/keys?owner=ada%40example.org');
      expect((json['data'] as Json[]).map(({ id }) => id)).toEqual([third.id, second.id, ada.id]);
    });

    it('takes all his keys along when he is removed, at once, and nobody else’s', async () => {
      const [admin, stranger] = [await adminOf('removal'), await adminOf('elsewhere')];
      const first = await madeBy(admin, { owner: 'ada' });
      const second = await madeBy(first.key, { roles: ['reader'] });
      const others = [await madeBy(admin, { owner: 'ben' }), await madeBy(stranger, { owner: 'ada' })];
      for (const { key } of [first, second, ...others]) expect((await get(key, '/v1/documents')).status).toBe(200);
      const removed = await remove(admin, 'ada');
      expect(removed.json).toMatchObject({ id: 'ada', tenant: 'removal' });
      expect(new Set(removed.json['revoked_keys'] as string[])).toEqual(new Set([first.id, second.id]));
      for (const { key } of [first, second]) expect((await get(key, '/v1/documents')).status).toBe(401);
      for (const { key } of [...others, { key: admin }]) expect((await get(key, '/v1/documents')).status).toBe(200);
      expect((await get(admin, `/v1/admin/keys/${second.id}`)).json['revoked_at']).toEqual(expect.any(String));
      expect((await remove(admin, 'ada')).json).toMatchObject({ revoked_keys: [] });
    });

    it('takes his own keys for other tenants along, whatever he made them with', async () => {
      const admin = await adminOf('headquarters');
      const operator = { name: 'operator', tenant: 'headquarters', roles: ['admin', 'operator'] };
      const { key } = await mesh().makeKey({ ...operator, owner: 'alice' });
      const abroad = await madeBy(key, { tenant: 'branch' });
      const second = await madeBy(abroad.key, {});
      const named = await madeBy(key, { tenant: 'branch', owner: 'alice' });
      const others = await madeBy(key, { tenant: 'branch', owner: 'ben' });
      const removed = (await remove(admin, 'alice')).json['revoked_keys'];
      expect(removed).toEqual(expect.arrayContaining([abroad.id, second.id, named.id]));
      for (const gone of [abroad, second, named]) expect((await get(gone.key, '/v1/documents')).status).toBe(401);
      expect((await get(others.key, '/v1/documents')).status).toBe(200);

      const { roles } = operator;
      const token = await mesh().identity.token({ tenant: 'headquarters', sub: 'zoe', roles });
      const ofToken = await madeBy(token, { tenant: 'branch' });
      expect((await remove(admin, 'jwt:zoe')).json).toMatchObject({ revoked_keys: [ofToken.id] });
      expect((await make(token, { tenant: 'branch' })).json).toMatchObject({ code: 'AUTH.INVALID' });
    });

    it('makes no keys for himself where he is removed, until an administrator makes him one', async () => {
      const admin = await adminOf('return');
      const token = await mesh().identity.token({ tenant: 'home', sub: 'carl', roles: ['admin', 'operator'] });
      await remove(admin, 'jwt:carl');
      const there = { tenant: 'return' };
      expect((await make(token, there)).json).toMatchObject({ status: 409, code: 'USER.REMOVED', field: 'owner' });
      expect((await make(token, { ...there, owner: 'jwt:carl' })).json).toMatchObject({ code: 'USER.REMOVED' });
      expect((await make(admin, { owner: 'jwt:carl' })).status).toBe(201);
      expect((await make(token, there)).status).toBe(201);
    });

    it('is not let in by a token either once he is removed, until an administrator makes him a key', async () => {
      const admin = await adminOf('goodbye');
      const tokenOf = (tenant: string): Promise<string> =>
        mesh().identity.token({ tenant, sub: 'cleo@example.org', roles: ['admin'] });
      const [token, namesake] = [await tokenOf('goodbye'), await tokenOf('elsewhere')];
      expect((await get(token, '/v1/documents')).status).toBe(200); // and is remembered
      const own = await madeBy(token, {});
      expect((await get(admin, `/v1/admin/keys/${own.id}`)).json).toMatchObject({ owner: 'jwt:cleo@example.org' });
      expect((await get(admin, '/v1/admin/keys?owner=jwt:cleo@example.org')).json['data']).toHaveLength(1);
      const removed = { status: 200, json: { id: 'jwt:cleo@example.org', revoked_keys: [own.id] } };
      expect(await remove(admin, 'jwt:cleo@example.org')).toMatchObject(removed);
      for (const one of [token, await tokenOf('goodbye')])
        expect((await get(one, '/v1/documents')).json).toMatchObject({ status: 401, code: 'AUTH.INVALID' });
      expect((await make(token, {})).status).toBe(401);
      expect((await get(namesake, '/v1/documents')).status).toBe(200);
      expect((await make(admin, { owner: 'jwt:cleo@example.org' })).status).toBe(201);
      expect((await get(token, '/v1/documents')).status).toBe(200);
    });

    it('is not let in by a token within the cache time once he was removed at another gateway', async () => {
      const token = await mesh().identity.token({ tenant: 'far', sub: 'dan', roles: ['reader'] });
      expect((await get(token, '/v1/documents')).status).toBe(200);
      const database = mesh().drivers.openDatabase('knowledge');
      await database.query(`INSERT INTO removed_owner (tenant, owner, removed_by) VALUES ('far', 'jwt:dan', 'spec')`);
      await database.close();
      const isRefused = async () => (await get(token, '/v1/documents')).status === 401;
      await eventually('he is not let in', isRefused, CACHE_MAX_MS);
    });

    it('leaves no key behind that one of his was making while he was removed', async () => {
      const admin = await adminOf('race');
      const { key } = await madeBy(admin, { owner: 'dora' });
      await get(key, '/v1/documents'); // gateways remember it now
      const making = Promise.all(Array.from({ length: 12 }, () => make(key, {})));
      expect((await remove(admin, 'dora')).status).toBe(200);
      for (const { status } of await making) expect([201, 401, 409]).toContain(status);
      const { json } = await get(admin, '/v1/admin/keys?owner=dora&limit=200');
      expect((json['data'] as Json[]).filter(({ revoked_at: at }) => at === null)).toEqual([]);
    });

    it('is refused as a name where it cannot be one', async () => {
      const admin = await adminOf('names');
      expect((await make(admin, { owner: '' })).json).toMatchObject({ status: 422, field: 'owner' });
      expect((await make(admin, { owner: 'a\u0007b' })).json).toMatchObject({ status: 422, field: 'owner' });
      expect((await remove(admin, 'x'.repeat(501))).json).toMatchObject({ status: 422, field: 'id', limit: 500 });
    });
  });

  describe('a key that was made with a key', () => {
    it('expires no later', async () => {
      const admin = await adminOf('short');
      const expires_at = new Date(Date.now() + 3_600_000).toISOString();
      const parent = await madeBy(admin, { expires_at });
      const later = new Date(Date.now() + 7_200_000).toISOString();
      const sooner = new Date(Date.now() + 1_800_000).toISOString();
      expect(await madeBy(parent.key, {})).toMatchObject({ expires_at });
      expect(await madeBy(parent.key, { expires_at: later })).toMatchObject({ expires_at });
      expect(await madeBy(parent.key, { expires_at: sooner })).toMatchObject({ expires_at: sooner });
    });

    it('is revoked with it at once, and what was made with it, too', async () => {
      const admin = await adminOf('chain');
      const first = await madeBy(admin, {});
      const second = await madeBy(first.key, { owner: 'ben' });
      const third = await madeBy(second.key, { roles: ['reader'] });
      for (const { key } of [first, second, third]) expect((await get(key, '/v1/documents')).status).toBe(200);
      const revoked = await mesh().as(admin)({ method: 'DELETE', path: `/v1/admin/keys/${first.id}` });
      expect(revoked.status).toBe(204);
      for (const { key } of [first, second, third]) expect((await get(key, '/v1/documents')).status).toBe(401);
      expect((await get(admin, '/v1/documents')).status).toBe(200);
    });
  });
}
