import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serversFolder } from '@ragmesh/local-servers';

/** What no answer may do, however wrong the request was; `st explain` says what each means. */
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'negative_data_rejection',
  'unsupported_method',
];

/** What is too long for a line of HTTP is refused as that, whatever else is wrong with it. */
const SETTINGS = `[checks]
negative_data_rejection.expected-statuses = ["4xx"]
`;

/**
 * Tried by itself, after all others: whoever sets a quota at random is soon refused everywhere. The routes of quotas themselves are
 * never limited.
 */
const LAST = '^PUT /v1/admin/quotas$';

/** It looks at its clock between requests; beyond this it hangs. */
const GRACE_MS = 120_000;

export interface FuzzOptions {
  readonly seconds: number;
  /** The same seed makes the same requests of the same answers. */
  readonly seed: number;
  /** Only what must not be tried before the rest was, or only the rest. */
  readonly only: 'last' | 'rest';
  /** API key that comes with the requests, but for some that try what happens without it or with a wrong one. */
  readonly key?: string;
}

/** What a run found. */
export interface FuzzReport {
  readonly operations: { readonly total: number; readonly selected: number; readonly tested: number };
  /** Requests sent. */
  readonly requests: number;
  /** Each kind of failure, with the operations that have it. */
  readonly failures: readonly string[];
  /** What kept operations from being tried. */
  readonly errors: readonly string[];
  /** All of it in words, with a curl line for each failure. */
  readonly output: string;
}

interface Finding {
  readonly title: string;
  readonly count: number;
  readonly operations?: readonly string[];
}

interface JsonReport {
  readonly operations: { readonly total: number; readonly selected: number; readonly tested: number };
  readonly test_cases: { readonly generated: number };
  readonly failures: readonly Finding[];
  readonly errors: readonly Finding[];
}

/** Sends a server requests made up from its own OpenAPI document, valid ones and wrong ones, for as long as asked. */
export async function fuzz(url: string, { seconds, seed, only, key }: FuzzOptions): Promise<FuzzReport> {
  const folder = await mkdtemp(join(tmpdir(), 'ragmesh-schemathesis-'));
  const reportFile = join(folder, 'report.json');
  const options = {
    checks: [...CHECKS, ...(key === undefined ? [] : ['ignored_auth'])].join(','),
    ...(key === undefined ? {} : { header: `X-API-Key: ${key}` }),
    [only === 'last' ? 'include-name-regex' : 'exclude-name-regex']: LAST,
    phases: 'examples,coverage,fuzzing',
    seed: String(seed),
    'max-time': String(seconds),
    'generation-database': 'none',
    report: 'json',
    'report-json-path': reportFile,
  };
  await writeFile(join(folder, 'schemathesis.toml'), SETTINGS);
  const flags = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  const program = [
    '-m',
    'schemathesis.cli',
    'run',
    `${url}/openapi.json`,
    '--continue-on-failure',
    '--no-color',
    ...flags,
  ];
  const child = spawn('python3', program, {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder, PYTHONPATH: join(serversFolder, 'python-clients') },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: seconds * 1000 + GRACE_MS,
  });
  try {
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (piece: Buffer) => (output += piece.toString()));
    await once(child, 'close');
    const report = await readFile(reportFile, 'utf8').catch((error: unknown) => {
      throw new Error(`Schemathesis left no report:\n${output}`, { cause: error });
    });
    return { ...reportOf(JSON.parse(report) as JsonReport), output };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const reportOf = (report: JsonReport): Omit<FuzzReport, 'output'> => ({
  operations: report.operations,
  requests: report.test_cases.generated,
  failures: report.failures.map(described),
  errors: report.errors.map(described),
});

const described = ({ title, count, operations = [] }: Finding): string =>
  `${title} (${count}): ${operations.join(', ')}`;
