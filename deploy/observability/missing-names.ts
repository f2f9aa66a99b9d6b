import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { errorCatalogue } from '@ragmesh/errors';
import { unknownNames } from './promql/unknown-names.js';

const read = (path: string): string => readFileSync(path, 'utf8');

function filesBelow(folder: string, end: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(end) && !/(^|\/)(dist|node_modules)\//.test(name))
    .map((name) => join(folder, name));
}

/** Routes of the gateway as its controllers declare them: `/v1/documents/:id`. */
export const gatewayRoutes: readonly string[] = filesBelow('services/gateway/src', '.controller.ts').flatMap((path) => {
  const controller = read(path);
  const [, prefix = ''] = /@Controller\('([^']*)'\)/.exec(controller) ?? [];
  const paths = [...controller.matchAll(/@(?:Get|Post|Put|Patch|Delete)\((?:'([^']*)')?\)/g)].map(
    ([, own = '']) => own,
  );
  return paths.map((own) => `/${[prefix, own].filter((part) => part !== '').join('/')}`);
});

const SETTING = /\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b(?!\.)/g;
const settings = new Set(
  [...filesBelow('services', '.config.ts'), ...filesBelow('libs', '.config.ts'), 'tools/topics.mjs'].flatMap(
    (path) => read(path).match(SETTING) ?? [],
  ),
);
/** What operators export in their shell, so that the doctor sees it as well, as `deploy/README.md` says it once for all runbooks. */
const shellVariables = new Set(
  [...read('deploy/README.md').matchAll(/^export ([A-Z][A-Z_]+)=/gm)].map(([, name]) => name!),
);
const { scripts } = JSON.parse(read('package.json')) as { scripts: Readonly<Record<string, string>> };

/** Ids of a route, however they are written: `{id}`, `:id`, `ID`. */
const withoutIds = (route: string): string => route.replaceAll(/\{\w+\}|:\w+/g, 'ID').replace(/\/$/, '');

/** Calls of the API in a runbook or an advice that nobody could make as they stand: without a key, or to no address. */
export function unusableCalls(advice: string): string[] {
  const calls = [...advice.matchAll(/curl [^\n`]*\/v1\/[^\n`]*/g)].map(([call]) => call);
  const isUsable = (call: string): boolean =>
    call.includes('"x-api-key: $RAG_KEY"') && call.includes('"$RAGMESH/v1/') && shellVariables.has('RAG_KEY');
  return calls.filter((call) => !isUsable(call) || !shellVariables.has('RAGMESH'));
}

/** Routes, commands, settings, error codes, metrics and files that `advice` names and that are not there. */
export function missingNames(advice: string): string[] {
  const found = (pattern: RegExp): string[] => [...advice.matchAll(pattern)].map(([, name]) => name!);
  const codes = found(/(?<![*\w.])([A-Z][A-Z_]+\.[A-Z][A-Z_]+)\b/g);
  const named = found(new RegExp(`(${SETTING.source})`, 'g')).filter(
    (name) => !codes.some((code) => code.includes(name)),
  );
  const routes = gatewayRoutes.map(withoutIds);
  return [
    ...found(/(\/v1\/[\w/{}-]+)/g)
      .map(withoutIds)
      .filter((route) => !routes.includes(route)),
    ...found(/npm run ([\w-]+)/g).filter((script) => !(script in scripts)),
    ...named.filter((name) => !settings.has(name) && !shellVariables.has(name)),
    ...codes.filter((code) => !(code in errorCatalogue)),
    ...found(/`(rag(?:mesh)?_\w+|(?:sum|max|min)\([^`]+)`/g).flatMap(unknownNames),
  ];
}
