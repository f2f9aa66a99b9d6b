import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import tseslint from 'typescript-eslint';

const root = import.meta.dirname;
const levelOf = (lib) => {
  const { tags } = JSON.parse(readFileSync(join(root, 'libs', lib, 'project.json'), 'utf8'));
  return Number(tags.find((tag) => tag.startsWith('level:')).split(':')[1]);
};
const libs = readdirSync(join(root, 'libs')).filter((name) => existsSync(join(root, 'libs', name, 'project.json')));

/** One library may talk to each broker and wire client; everyone else goes through that library. */
const owners = {
  kafkajs: 'messaging',
  '@grpc/grpc-js': 'grpc',
  '@grpc/proto-loader': 'grpc',
  opossum: 'resilience',
  ioredis: 'cache',
};
const foreignClients = (lib) => Object.keys(owners).filter((name) => owners[name] !== lib);
const restrict = (groups) => ({ 'no-restricted-imports': ['error', { patterns: groups }] });
const ownedElsewhere = (lib) => ({
  group: foreignClients(lib),
  message: 'Go through the library that owns this client.',
});
const servicesForbidden = {
  group: ['@ragmesh/service-*'],
  message: 'Another service is known by its proto and events only.',
};

const libBoundaries = libs.map((lib) => ({
  files: [`libs/${lib}/src/**/*.ts`],
  ignores: ['**/*.spec.ts'],
  rules: restrict(
    [
      servicesForbidden,
      ownedElsewhere(lib),
      {
        group: libs
          .filter((other) => other !== lib && levelOf(other) >= levelOf(lib))
          .map((other) => `@ragmesh/${other}`),
        message: `libs/${lib} is level ${levelOf(lib)} and imports lower levels only.`,
      },
    ].filter(({ group }) => group.length > 0),
  ),
}));

export default tseslint.config(
  { ignores: ['**/dist/**', '**/generated/**', 'node_modules/**', '.ragmesh/**', '.cache/**'] },
  ...tseslint.configs.recommended.map((config) => ({ ...config, files: ['**/*.ts'] })),
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: root } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': 'off', // it would erase the tokens Nest injects by
      'no-console': 'error',
      'max-lines': ['error', { max: 300 }],
      'max-lines-per-function': ['error', { max: 60 }],
      'max-params': ['error', 5],
      complexity: ['error', 15],
    },
  },
  { files: ['**/*.spec.ts', '**/test/**/*.ts'], rules: { 'max-lines-per-function': 'off' } },
  ...libBoundaries,
  {
    files: ['services/!(standalone)/src/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: restrict([
      servicesForbidden,
      ownedElsewhere('services'),
      { group: ['@ragmesh/testing'], message: 'For specs only.' },
    ]),
  },
  {
    files: ['services/*/src/domain/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: restrict([
      {
        group: ['@nestjs/*', '*prisma*', 'pg', ...Object.keys(owners), '@ragmesh/!(errors|contracts)'],
        message: 'domain/ is pure: no framework, database, broker or clock.',
      },
    ]),
  },
);
