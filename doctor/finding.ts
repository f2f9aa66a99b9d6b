/**
 * `fault`: something is wrong; `note`: nothing is, but a person should know, and the exit code is the same as without it;
 * `unseen`: it could not be looked at, and the finding of another check says why.
 */
export type Level = 'fault' | 'note' | 'unseen';

/** One thing that is wrong, for whoever has to mend it. Holds no secret and no content. */
export interface Finding {
  readonly level: Level;
  /** What was seen. */
  readonly what: string;
  /** What does not work because of it. */
  readonly why: string;
  /** A command, or what to change where. */
  readonly mend: string;
}

export const fault = (what: string, why: string, mend: string): Finding => ({ level: 'fault', what, why, mend });
export const note = (what: string, why: string, mend: string): Finding => ({ level: 'note', what, why, mend });

/** Keeps what could not be looked at from being called fine. */
export const unseen: Finding = { level: 'unseen', what: 'It was not looked at.', why: '', mend: '' };
