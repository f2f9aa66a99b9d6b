import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));

export interface ProgramEnd {
  readonly code: number | null;
  /** Both streams as they came. */
  readonly output: string;
}

/** Runs a program of the repository from its sources to its end. */
export function runProgram(args: readonly string[], env: Record<string, string>): Promise<ProgramEnd> {
  const flags = ['--no-warnings', '--conditions=source', '--import', './tools/register-typescript.mjs'];
  const child = spawn(process.execPath, [...flags, ...args], {
    cwd: root,
    env: { ...process.env, ...env },
  });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (output += chunk));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, output })));
}

/** Runs the command from the sources, as `npm run topics` does from the build. */
export const runTopics = (command: string, env: Record<string, string>): Promise<ProgramEnd> =>
  runProgram(['tools/topics.mjs', command], env);
