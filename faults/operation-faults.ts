import { notApplicable, notProven, proof, type Fault } from './fault.js';

const drill = 'services/standalone/test/backup-drill.e2e.spec.ts';
const servers = 'backup/test/restored.int.spec.ts';

/** Rows 56–59: what operators do on purpose, at the wrong moment. */
export const operationFaults: readonly Fault[] = [
  {
    row: 56,
    fault: 'A backup is taken under load and restored elsewhere',
    never: 'An event lost or doubled, a row without its blob, a service ahead of another',
    tools: 'backup, restore',
    standalone: [proof(drill, 'is restored elsewhere')],
    mesh: [proof('faults/test/backup-drill.slow.e2e.spec.ts', 'restored elsewhere, where the oracle holds')],
  },
  {
    row: 57,
    fault: 'A backup is damaged, cut short, of a newer release, or restored over something',
    never: 'Half a restore, two installations in one',
    tools: 'bytes changed',
    standalone: [proof(drill, 'is not restored over another installation', 'is refused before anything is written')],
    mesh: [proof(servers, 'is refused by servers that hold something')],
  },
  {
    row: 58,
    fault: 'A release opens the data of an earlier one that died in the middle of work',
    never: 'A document stuck or lost, an old event that passes for forged',
    tools: 'SIGKILL, data of that release',
    standalone: [
      proof('services/standalone/test/upgrade.e2e.spec.ts', 'goes on where it was', 'is searched as it was'),
    ],
    mesh: notApplicable('rows, migrations and services are the same; no release ran as a mesh with data to keep'),
  },
  {
    row: 59,
    fault: 'A process is killed, again and again, while an index is made anew beside the live one',
    never: 'Two generations at once, none, one that is never finished, points of neither',
    tools: 'SIGKILL at random',
    standalone: [proof('faults/test/reindex-kills.slow.e2e.spec.ts', 'has one whole index in the end')],
    mesh: notProven('the saga and its steps are the same; nobody has killed eight processes in the middle of it'),
  },
];
