/** File beside the data of a release that says what is in it. */
export const HOLDS = 'holds.json';

/** What is in the data of a release besides documents. Its keys open nothing but a copy of that data. */
export interface ReleaseHolds {
  /** Of an administrator who is an operator, too. */
  readonly key: string;
  /** Of the one reader whom the list of the collection `sealed` names. */
  readonly listedKey: string;
  /** Of another reader. */
  readonly otherKey: string;
  /** What was asked in the conversation `talk`, and answered. */
  readonly turns: readonly string[];
  /** Request of that answer, which was judged. */
  readonly judgedRequest: string;
  /** As the report of usage has it. */
  readonly usage: Readonly<Record<string, unknown>>;
}
