import { checks, type Diagnosis } from './run-checks.js';
import type { Mode } from './situation.js';

const isFault = ({ level }: Diagnosis): boolean => level === 'fault';

/** 0 when nothing is wrong, 1 otherwise. */
export const exitCode = (findings: readonly Diagnosis[]): number => (findings.some(isFault) ? 1 : 0);

/** For programs. */
export function jsonReport(mode: Mode, findings: readonly Diagnosis[]): string {
  const ok = exitCode(findings) === 0;
  return JSON.stringify({ ok, mode, checks: Object.keys(checks), findings }, undefined, 2);
}

/** For people: what is wrong, why it matters, how to mend it. */
export function textReport(mode: Mode, findings: readonly Diagnosis[]): string {
  const blocks = findings.map(({ check, level, what, why, mend }) =>
    [`${level === 'fault' ? 'FAULT' : 'note '}  ${check}: ${what}`, `       why   ${why}`, `       mend  ${mend}`].join(
      '\n',
    ),
  );
  const faults = findings.filter(isFault).length;
  const fine = Object.keys(checks).filter((check) => !findings.some((finding) => finding.check === check));
  const verdict = faults === 0 ? 'Nothing is wrong' : `${faults} ${faults === 1 ? 'thing is' : 'things are'} wrong`;
  return [...blocks, `${verdict} (${mode}). Fine or not in use: ${fine.join(', ') || 'nothing'}.`].join('\n\n');
}
