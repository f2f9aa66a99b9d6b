import { parseArgs } from 'node:util';
import { readFileSync } from 'node:fs';
import { readEnvironment } from '@ragmesh/config';
import { exitCode, jsonReport, textReport } from './report.js';
import { runChecks } from './run-checks.js';
import { situationOf } from './situation-of.js';

const USAGE = `npm run doctor -- [--mode standalone|mesh] [--url URL] [--key-file FILE] [--json]`;

/** Exit code 0: nothing is wrong; 1: something is; 2: wrong use. */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      mode: { type: 'string' },
      url: { type: 'string' },
      'key-file': { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  if (values.mode !== undefined && values.mode !== 'standalone' && values.mode !== 'mesh') return wrongUse();
  const key = values['key-file'] === undefined ? undefined : readFileSync(values['key-file'], 'utf8').trim();
  const situation = situationOf(readEnvironment(), { mode: values.mode, url: values.url, key });
  const findings = await runChecks(situation);
  await situation.gateway.close();
  const report = values.json ? jsonReport : textReport;
  process.stdout.write(`${report(situation.mode, findings)}\n`);
  return exitCode(findings);
}

function wrongUse(): number {
  process.stderr.write(`${USAGE}\n`);
  return 2;
}

try {
  process.exit(await main());
} catch (error) {
  process.stderr.write(`ragmesh: ${(error as Error).message}\n${USAGE}\n`);
  process.exit(2);
}
