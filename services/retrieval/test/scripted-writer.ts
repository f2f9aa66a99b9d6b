import { answering, type Behaviour, type SeenRequest } from '../../generation/test/scripted-upstream.js';

/** What a language model is asked for on behalf of a search, told apart by how its instructions begin. */
const tasks = {
  condense: 'Rewrite the last question',
  paraphrase: /^Write \d+ other ways/,
  hypothesise: 'Write the passage',
  grade: 'Name the passages',
  verify: 'Decide whether',
} as const;

export type Task = keyof typeof tasks | 'answer';

export function taskOf({ body }: SeenRequest): Task {
  const instructions = body.messages[0]!.content;
  const names = Object.keys(tasks) as (keyof typeof tasks)[];
  return names.find((name) => instructions.search(tasks[name]) === 0) ?? 'answer';
}

export type Script = Partial<Record<Task, Behaviour | ((request: SeenRequest) => unknown)>>;

/** Plays what the script has for a task; what it says to others is of no use. */
export const writing =
  (script: Script): Behaviour =>
  (request) => {
    const play = script[taskOf(request)];
    return (play ?? answering('I would rather not.'))(request);
  };

/** A JSON answer. */
export const saying = (value: unknown): Behaviour => answering(JSON.stringify(value));
