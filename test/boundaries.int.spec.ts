import { describe, expect, it } from '@jest/globals';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';

/** By the rules of the repository, but for those that ask for types, as no import is judged by them. */
const eslint = new ESLint({ overrideConfig: [{ files: ['**/*.ts'], ...tseslint.configs.disableTypeChecked }] });

const STATEMENT = (imported: string): string => `export * from '${imported}';\n`;
const EXPRESSION = (imported: string): string => `export const all = await import('${imported}');\n`;
const TEMPLATE = (imported: string): string => `export const all = await import(\`${imported}\`);\n`;
const TYPE = (imported: string): string => `export type All = typeof import('${imported}');\n`;
const ways = [STATEMENT, EXPRESSION, TEMPLATE, TYPE];

/** What is said against an import in a file, which need not be there. */
async function saidOf(filePath: string, text: string): Promise<string[]> {
  const [result] = await eslint.lintText(text, { filePath });
  return result!.messages.map(({ ruleId, message }) => `${ruleId}: ${message}`);
}

const DOMAIN = 'services/document/src/domain/made-up.ts';
const SERVICE = 'services/document/src/api/made-up.ts';
const STANDALONE = 'services/standalone/src/made-up.ts';
const LIB = 'libs/outbox/src/made-up.ts';

describe('the linter', () => {
  it.each([
    [DOMAIN, '@ragmesh/service-vector'],
    [DOMAIN, '@ragmesh/testing'],
    [DOMAIN, '@ragmesh/postgres'],
    [DOMAIN, '@nestjs/common'],
    [DOMAIN, 'pg'],
    [DOMAIN, 'kafkajs'],
    [DOMAIN, '../../../vector/src/domain/tokenizer.js'],
    [DOMAIN, '../adapters/document.repository.js'],
    [DOMAIN, '../../adapters/document.repository.js'],
    [SERVICE, '@ragmesh/service-vector'],
    [SERVICE, '@ragmesh/testing'],
    [SERVICE, 'kafkajs'],
    [SERVICE, '../../../vector/src/domain/tokenizer.js'],
    [SERVICE, '../../../../libs/postgres/src/pool.js'],
    [SERVICE, '../../../../eval/metrics.js'],
    [SERVICE, '../../test/upload-messages.js'],
    [STANDALONE, 'kafkajs'],
    [STANDALONE, '@ragmesh/testing'],
    [STANDALONE, '../../vector/src/vector.service.js'],
    [LIB, '@ragmesh/service-vector'],
    [LIB, '@ragmesh/bootstrap'],
    [LIB, 'kafkajs'],
    [LIB, '../../postgres/src/pool.js'],
  ])('lets no %s import %s', async (file, imported) => {
    for (const way of ways)
      expect(await saidOf(file, way(imported))).toContainEqual(
        expect.stringMatching(/^(no-restricted-imports|import-expressions\/restricted-places): /),
      );
  });

  it.each([
    [DOMAIN, '@ragmesh/errors'],
    [DOMAIN, '@ragmesh/contracts'],
    [DOMAIN, '../../domain/parsed-document.js'],
    [SERVICE, '@ragmesh/postgres'],
    [SERVICE, '@nestjs/common'],
    [SERVICE, '../../../domain/parsed-document.js'],
    [STANDALONE, '@ragmesh/service-vector'],
    [LIB, '@ragmesh/postgres'],
    ['services/vector/src/vector.module.ts', './adapters/qdrant/open-qdrant-store.js'],
    ['libs/messaging/src/made-up.ts', 'kafkajs'],
    ['services/document/src/domain/made-up.unit.spec.ts', '@ragmesh/testing'],
  ])('lets %s import %s', async (file, imported) => {
    for (const way of ways) expect(await saidOf(file, way(imported))).toEqual([]);
  });

  it('lets only files that are named send requests past the one way out, by whatever import', async () => {
    for (const client of ['undici', 'node:https']) {
      for (const way of [STATEMENT, EXPRESSION, TEMPLATE])
        expect(await saidOf(SERVICE, way(client))).toEqual([expect.stringMatching(/@ragmesh\/egress/)]);
      expect(await saidOf(SERVICE, TYPE(client))).toEqual([]);
    }
    const named = 'services/vector/src/adapters/qdrant/qdrant-dispatcher.ts';
    expect(await saidOf(named, EXPRESSION('undici'))).toEqual([]);
  });
});
