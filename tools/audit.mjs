/**
 * `npm run audit`: asks the registry for known vulnerabilities of what package-lock.json pins. A high or critical one fails
 * unless `tools/audit/reasons.json` says why it does no harm here, and until when that was looked at. Without an answer of
 * the registry nothing was checked, which is said loudly; with `--require` it fails, too.
 * `--report FILE` judges an answer of `npm audit --json` that was kept; `--reasons FILE` takes other reasons.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { judge } from './audit/judge.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values: options } = parseArgs({
  options: {
    require: { type: 'boolean', default: false },
    report: { type: 'string' },
    reasons: { type: 'string', default: join(root, 'tools', 'audit', 'reasons.json') },
  },
});

/** What `npm audit` found, or undefined when the registry gave no answer. */
function report() {
  if (options.report) return parsed(readFileSync(options.report, 'utf8'));
  const { stdout } = spawnSync('npm', ['audit', '--json'], { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 28 });
  return parsed(stdout ?? '');
}

function parsed(text) {
  try {
    const found = JSON.parse(text);
    return found.vulnerabilities ? found : undefined;
  } catch {
    return undefined;
  }
}

const found = report();
if (found === undefined) {
  console.error(
    'NOT CHECKED: the registry gave no answer to "npm audit", so known vulnerabilities were not looked for.',
  );
  console.error('Run "npm run audit" again where its audit endpoint can be reached.');
  process.exitCode = options.require ? 2 : 0;
} else {
  const reasons = JSON.parse(readFileSync(options.reasons, 'utf8'));
  const { unexplained, outdated, unneeded, explained } = judge(found, reasons, new Date());
  for (const { id, name, severity, title } of unexplained) console.error(`${severity} ${id} in ${name}: ${title}`);
  for (const { id, until } of outdated) console.error(`${id}: its reason held until ${until}; look again`);
  for (const id of unneeded) console.error(`${id} is no longer found: take its reason away`);
  const failed = unexplained.length + outdated.length;
  console.log(`${explained.length} explained, ${failed} not`);
  if (failed > 0) {
    console.error('Update the package, or write into tools/audit/reasons.json why this does no harm here.');
    process.exitCode = 1;
  }
}
