import { parseArgs } from 'node:util';
import { readEnvironment } from '@ragmesh/config';
import { isRagmeshError } from '@ragmesh/errors';
import { backup } from './backup.js';
import { openInstallation, openTarget } from './open-installation.js';
import { restore } from './restore.js';

const USAGE = `npm run backup -- --to FOLDER [--leave-old-events]
npm run restore -- --from FOLDER [--blobs-to-folder]`;

const options = {
  to: { type: 'string' },
  from: { type: 'string' },
  'leave-old-events': { type: 'boolean', default: false },
  'blobs-to-folder': { type: 'boolean', default: false },
} as const;

const say = (sentence: string): void => void process.stdout.write(`${sentence}\n`);

async function runBackup(to: string, leaveOldEvents: boolean): Promise<void> {
  const installation = await openInstallation(readEnvironment());
  try {
    await backup(installation, to, { leaveOldEvents, say });
    say(`The backup is in ${to}. Whoever can read it reads every document: keep it as you keep those.`);
  } finally {
    await installation.close();
  }
}

/** Exit code 1: the sentence says why nothing was done; 2: wrong use. */
async function main(): Promise<number> {
  const [command, ...args] = process.argv.slice(2);
  const { values } = parseArgs({ args, options });
  if (command === 'backup' && values.to && !values.from) await runBackup(values.to, values['leave-old-events']);
  else if (command === 'restore' && values.from && !values.to)
    await restore(values.from, () => openTarget(readEnvironment()), { say, blobsToFolder: values['blobs-to-folder'] });
  else {
    process.stderr.write(`${USAGE}\n`);
    return 2;
  }
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  const isUsage = (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS');
  const sentence = isRagmeshError(error) || isUsage ? (error as Error).message : (error as Error).stack;
  process.stderr.write(`ragmesh: ${sentence}${isUsage ? `\n${USAGE}` : ''}\n`);
  process.exitCode = isUsage ? 2 : 1;
}
