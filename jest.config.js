import { readFileSync } from 'node:fs';

const swc = JSON.parse(readFileSync(new URL('.swcrc', import.meta.url), 'utf8'));

/** Suites are named by cost: `.unit` is pure, `.int` uses real servers, `.e2e` goes through HTTP. */
export default {
  testMatch: ['<rootDir>/{libs,services,bench,eval,backup,doctor,faults,deploy,helm,test}/**/*.{unit,int,e2e}.spec.ts'],
  testPathIgnorePatterns: ['/node_modules/', '\\.slow\\.[a-z0-9]+\\.spec\\.ts$'],
  modulePathIgnorePatterns: ['/dist/', '<rootDir>/.cache/'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  testEnvironmentOptions: { customExportConditions: ['source', 'node', 'node-addons'] },
  transform: { '^.+\\.ts$': ['@swc/jest', { ...swc, swcrc: false, sourceMaps: 'inline' }] },
  transformIgnorePatterns: ['/node_modules/'],
  testEnvironment: 'node',
  // Not among temporary files, where a run leaves nothing for the next.
  cacheDirectory: '<rootDir>/.cache/jest',
  testTimeout: 180_000,
  testSequencer: '<rootDir>/tools/suite-order.mjs',
  // One more than the processors it is made for: suites wait about as long as they work.
  maxWorkers: 3,
  // What a suite leaves in its worker adds up to gigabytes; a fresh worker costs a second.
  workerIdleMemoryLimit: '1500MB',
};
