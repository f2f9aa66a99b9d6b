import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { builtinRules } from 'eslint/use-at-your-own-risk';
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

/** The rule of ESLint reads statements only: this one judges `import('…')`, of a value or a type, by the same settings. */
const statements = builtinRules.get('no-restricted-imports');
const expressions = {
  meta: statements.meta,
  create(context) {
    const { ImportDeclaration: judge = () => undefined } = statements.create(context);
    const statementOf = (node, source) => ({ ...node, type: 'ImportDeclaration', source: { value: source } });
    return {
      ImportExpression(node) {
        const source = node.source.value ?? node.source.quasis?.map(({ value }) => value.cooked).join('*');
        const everything = [{ type: 'ImportNamespaceSpecifier', loc: node.loc }];
        if (typeof source === 'string') judge({ ...statementOf(node, source), specifiers: everything });
      },
      TSImportType(node) {
        judge({ ...statementOf(node, node.source.value), importKind: 'type', specifiers: [] });
      },
    };
  },
};
const expressionRules = { 'restricted-places': expressions, 'restricted-clients': expressions };
const restrict = (groups) => ({
  'no-restricted-imports': ['error', { patterns: groups }],
  'import-expressions/restricted-places': ['error', { patterns: groups }],
});
const ownedElsewhere = (lib) => ({
  group: foreignClients(lib),
  message: 'Go through the library that owns this client.',
});
const servicesForbidden = {
  group: ['@ragmesh/service-*'],
  message: 'Another service is known by its proto and events only.',
};

/** A file of another package, or of the tools and tests around them, by its place in the checkout. */
const placesOfOthers = {
  regex: '^(\\.\\./)+([^.][^/]*/)*(src|dist|test|tools|bench|eval|backup|doctor|faults|deploy|helm|proto)/',
  message: 'Another package is imported by its name, and only what it exports.',
};
const outsideSpecs = { group: ['@ragmesh/testing'], message: 'For specs only.' };

const libBoundaries = libs.map((lib) => ({
  files: [`libs/${lib}/src/**/*.ts`],
  ignores: ['**/*.spec.ts'],
  rules: restrict(
    [
      servicesForbidden,
      placesOfOthers,
      ownedElsewhere(lib),
      {
        group: libs
          .filter((other) => other !== lib && levelOf(other) >= levelOf(lib))
          .map((other) => `@ragmesh/${other}`),
        message: `libs/${lib} is level ${levelOf(lib)} and imports lower levels only.`,
      },
    ].filter(({ group }) => group?.length !== 0),
  ),
}));

const serviceBoundaries = [placesOfOthers, ownedElsewhere('services'), outsideSpecs];

/** Who may send requests without libs/egress, and why that is no way to have the mesh fetch what a caller names. */
const outgoing = {
  'services/model/src/adapters/hub/hub-client.ts': 'HF_ENDPOINT; callers name models there, not addresses',
  'services/generation/src/adapters/openai-chat-model.ts': 'OPENAI_BASE_URL',
  'services/embedding/src/adapters/openai/embeddings-api.ts': 'EMBEDDING_BASE_URL or OPENAI_BASE_URL',
  'services/gateway/src/auth/token-authenticator.ts': 'AUTH_JWT_JWKS_URL, whatever a token says of its keys',
  'services/mesh/src/supervised-service.ts': 'probes of the services it started',
  'services/vector/src/adapters/qdrant/qdrant-dispatcher.ts': 'QDRANT_URL',
  'libs/observability/src/sentry-reporter.ts': 'SENTRY_DSN',
};
const throughEgress =
  'A URL from outside goes through @ragmesh/egress; where the configuration alone says whom to ask, name the file in `outgoing`.';
const clients = {
  paths: [
    { name: 'undici', message: throughEgress, allowTypeImports: true },
    { name: 'jose', importNames: ['createRemoteJWKSet'], message: throughEgress },
    ...['http', 'https', 'node:http', 'node:https'].map((name) => ({
      ...{ name, message: throughEgress, allowTypeImports: true },
      importNames: ['default', 'request', 'get', 'ClientRequest'],
    })),
    ...['http2', 'node:http2'].map((name) => ({
      name,
      importNames: ['default', 'connect'],
      message: throughEgress,
    })),
  ],
};
const sendsRequests = {
  'no-restricted-globals': [
    'error',
    ...['fetch', 'WebSocket', 'EventSource'].map((name) => ({ name, message: throughEgress })),
  ],
  'no-restricted-properties': ['error', { object: 'globalThis', property: 'fetch', message: throughEgress }],
  '@typescript-eslint/no-restricted-imports': ['error', clients],
  'import-expressions/restricted-clients': ['error', clients],
};

export default tseslint.config(
  { ignores: ['**/dist/**', '**/generated/**', 'node_modules/**', '.ragmesh/**', '.ragmesh-mesh/**', '.cache/**'] },
  ...tseslint.configs.recommended.map((config) => ({ ...config, files: ['**/*.ts'] })),
  {
    files: ['**/*.ts'],
    plugins: { 'import-expressions': { rules: expressionRules } },
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
    files: ['libs/!(egress)/src/**/*.ts', 'services/*/src/**/*.ts'],
    ignores: ['**/*.spec.ts', ...Object.keys(outgoing)],
    rules: sendsRequests,
  },
  // The standalone is made of all services; everything else holds for it, too.
  { files: ['services/standalone/src/**/*.ts'], ignores: ['**/*.spec.ts'], rules: restrict(serviceBoundaries) },
  {
    files: ['services/!(standalone)/src/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: restrict([servicesForbidden, ...serviceBoundaries]),
  },
  {
    // In place of what holds for the rest of a service, so that has to be said again.
    files: ['services/*/src/domain/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: restrict([
      servicesForbidden,
      ...serviceBoundaries,
      {
        // Names as in a .gitignore, which knows no `!(…)`.
        group: ['@nestjs/*', '*prisma*', 'pg', '@ragmesh/*', '!@ragmesh/errors', '!@ragmesh/contracts'],
        message: 'domain/ is pure: no framework, database, broker or clock.',
      },
      {
        regex: '^(\\.\\./)+(adapters|api|commands|consumers|publishes|sagas)/',
        message: 'domain/ decides; what calls it and what it is about to do lies outside.',
      },
    ]),
  },
);
