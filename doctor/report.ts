import { checks, type Diagnosis } from './run-checks.js';
import type { Mode } from './situation.js';

const isFault = ({ level }: Diagnosis): boolean => level === 'fault';

/** 0 when nothing is wrong, 1 otherwise. */
export const exitCode = (findings: readonly Diagnosis[]): number => (findings.some(isFault) ? 1 : 0);

const isTold = ({ level }: Diagnosis): boolean => level !== 'unseen';

const unseenChecks = (findings: readonly Diagnosis[]): string[] =>
  findings.filter((finding) => !isTold(finding)).map(({ check }) => check);

/** For programs. */
export function jsonReport(mode: Mode, findings: readonly Diagnosis[]): string {
  const ok = exitCode(findings) === 0;
  const report = { ok, mode, checks: Object.keys(checks), unseen: unseenChecks(findings) };
  return JSON.stringify({ ...report, findings: findings.filter(isTold) }, undefined, 2);
}

/** For people: what is wrong, why it matters, how to mend it. */
export function textReport(mode: Mode, findings: readonly Diagnosis[]): string {
  const blocks = findings
    .filter(isTold)
    .map(({ check, level, what, why, mend }) =>
      [
        `${level === 'fault' ? 'FAULT' : 'note '}  ${check}: ${what}`,
        `       why   ${why}`,
        `       mend  ${mend}`,
      ].join('\n'),
    );
  const faults = findings.filter(isFault).length;
  const fine = Object.keys(checks).filter((check) => !findings.some((finding) => finding.check === check));
  const verdict = faults === 0 ? 'Nothing is wrong' : `${faults} ${faults === 1 ? 'thing is' : 'things are'} wrong`;
  const unseen = unseenChecks(findings).join(', ');
  const rest = `Fine or not in use: ${fine.join(', ') || 'nothing'}.${unseen && ` Not looked at: ${unseen}.`}`;
  return [...blocks, `${verdict} (${mode}). ${rest}`].join('\n\n');
}
