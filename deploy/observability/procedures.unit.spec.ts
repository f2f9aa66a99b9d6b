import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { discardBody, replayBody } from '../../services/gateway/src/api/dead-letter.schema.js';
import { newKey } from '../../services/gateway/src/api/keys.schema.js';
import { hasRole, type Role } from '../../services/gateway/src/auth/roles.js';
import { routeRoles } from '../../services/gateway/src/auth/route-roles.js';
import { procedureFiles, runbookFiles, text } from './committed-files.js';
import { missingNames, unusableCalls } from './missing-names.js';

const DATABASE_OF_SERVICE = 'DOCUMENT_DATABASE_URL'; // made of the service's name in backup/backup.config.ts

const withoutIds = (route: string): string => route.replaceAll(/:\w+|\$\{id\}/g, 'ID');

/** Method and path of every call of the API: `GET /v1/documents/ID`. */
const calledRoutes = (advice: string): string[] =>
  [...advice.matchAll(/curl ([^\n]*?)"\$RAGMESH(\/v1\/(?:[^"?$]|\$\{id\})+)/g)].map(([, options = '', path = '']) => {
    const [, method = / -d /.test(options) ? 'POST' : 'GET'] = /-X (\w+)/.exec(options) ?? [];
    return `${method} ${withoutIds(path)}`;
  });

const roleOf = (called: string): string | undefined =>
  Object.entries(routeRoles).find(([route]) => withoutIds(route) === called)?.[1];

describe('procedures', () => {
  it('are there for what operators do', () => {
    const wanted = ['Backup', 'Drain', 'Reconcile', 'Reindex', 'Restore', 'Topics', 'Upgrade'];
    expect(procedureFiles).toEqual(expect.arrayContaining(wanted.map((name) => `deploy/runbooks/${name}.md`)));
  });

  it.each(procedureFiles)('%s says what it means, what to look at and what to do', (path) => {
    const book = text(path);
    expect(book).toMatch(/^# [A-Z]\w+\n\n\S[^#]{60,}\n## See\n[^]{60,}\n## Do\n[^]{100,}$/);
    expect(book.split('\n').length).toBeLessThan(60);
  });

  it.each(procedureFiles)(
    '%s names only commands, routes, settings, codes, metrics and files that there are',
    (path) => {
      expect(missingNames(text(path)).filter((name) => name !== DATABASE_OF_SERVICE)).toEqual([]);
      const links = [...text(path).matchAll(/\]\((\w+)\.md\)/g)].map(([, name]) => `deploy/runbooks/${name}.md`);
      expect(links.filter((link) => ![...procedureFiles, ...runbookFiles].includes(link))).toEqual([]);
      const files = [...text(path).matchAll(/`((?:services|libs|deploy|tools)\/[\w./-]+\.\w+)`/g)].map(
        ([, file]) => file!,
      );
      expect(files.filter((file) => !existsSync(file))).toEqual([]);
    },
  );
});

describe('calls of the API', () => {
  const advice = readdirSync('doctor/checks').map((name) => `doctor/checks/${name}`);

  it('are made with the address and the key that are explained once, in runbooks and by the doctor', () => {
    const paths = [...procedureFiles, ...runbookFiles, ...advice];
    const calls = paths.flatMap((path) => text(path).match(/curl [^\n]*\/v1\//g) ?? []);
    expect(calls.length).toBeGreaterThan(10);
    expect(paths.flatMap((path) => unusableCalls(text(path)))).toEqual([]);
  });

  it('are permitted to a key that is made as it is explained there', () => {
    const [, body = ''] = /curl .* -d '([^']+)' "\$RAGMESH\/v1\/admin\/keys"$/m.exec(text('deploy/README.md')) ?? [];
    const { roles } = newKey.parse(JSON.parse(body));
    const paths = [...procedureFiles, ...runbookFiles, ...advice];
    const routes = paths.flatMap((path) => calledRoutes(text(path)));
    const permitted = routes.map((route) => ({ route, isPermitted: hasRole(roles, roleOf(route) as Role) }));
    expect(permitted.length).toBeGreaterThan(10);
    expect(permitted.filter(({ isPermitted }) => !isPermitted)).toEqual([]);
  });

  it('that decide on dead letters have the body that the API takes, wherever they are named', () => {
    const bodies = { replay: replayBody, discard: discardBody };
    const found = [...procedureFiles, ...runbookFiles].flatMap((path) =>
      [...text(path).matchAll(/^.*\/v1\/admin\/dead-letters\/(replay|discard)/gm)].map(([line, action]) => {
        const [, body] = /curl .* -d '([^']+)' "\$RAGMESH\/v1\/admin\/dead-letters\/\w+$/.exec(line) ?? [];
        const given: unknown = body === undefined ? undefined : JSON.parse(body);
        return { path, action, error: bodies[action as keyof typeof bodies].safeParse(given).error?.message };
      }),
    );
    expect(new Set(found.map(({ action }) => action))).toEqual(new Set(['replay', 'discard']));
    expect(found.filter(({ error }) => error !== undefined)).toEqual([]);
  });

  it('that list sagas say which, because those that ended are listed for ever', () => {
    const lists = [...procedureFiles, ...runbookFiles, ...advice].flatMap((path) =>
      [...text(path).matchAll(/\/v1\/admin\/sagas(?!\/)[^\s`"')]*/g)].map(([list]) => ({ path, list })),
    );
    expect(lists.length).toBeGreaterThan(4);
    expect(lists.filter(({ list }) => !/\?(state|overdue)=\w|\?tenant=\*/.test(list))).toEqual([]);
  });

  it('look at all tenants where the alert does, and name one to act on', () => {
    const books = runbookFiles.filter((path) => /Ragmesh(DeadLetters|Sagas)\w+\.md$/.test(path));
    const calls = books.flatMap((path) => text(path).match(/\/v1\/admin\/(sagas|dead-letters)[^\s`"]*/g) ?? []);
    expect(books).toHaveLength(3);
    const isOfTenants = (call: string): boolean =>
      /\/admin\/[\w-]+\//.test(call) ? call.endsWith('?tenant=TENANT') : call.endsWith('tenant=*');
    expect(calls.filter((call) => !isOfTenants(call))).toEqual([]);
  });

  it('are refused without either', () => {
    const wrong = ['curl "$RAGMESH/v1/admin/sagas"', 'curl -H "x-api-key: $RAG_KEY" http://localhost/v1/admin/sagas'];
    expect(wrong.filter((call) => unusableCalls(call).length === 0)).toEqual([]);
  });
});
