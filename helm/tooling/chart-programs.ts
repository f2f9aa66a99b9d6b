import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { serversFolder } from '@ragmesh/local-servers';

/** Where `npm run servers helm` puts programs and schemas. */
export const helmFolder = join(serversFolder, 'helm');

const own = (name: string): string => join(helmFolder, 'bin', name);
const program = (name: string): string => (existsSync(own(name)) ? own(name) : name);
const maxBuffer = 64 * 1024 * 1024;

/**
 * Runs helm to its end.
 * @returns what it printed.
 * @throws Error with what it complained of.
 */
export function helm(args: readonly string[]): string {
  const { status, error, stdout, stderr } = spawnSync(program('helm'), args, { encoding: 'utf8', maxBuffer });
  if (error) throw new Error('helm was not found: run "npm run servers helm", or install it.');
  if (status !== 0) throw new Error(`helm ${args[0]} failed:\n${stdout}${stderr}`);
  return stdout;
}

/** What a program printed, whether it went well or not. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const execute = promisify(execFile);

/** Runs one of the programs beside others; a failure is an outcome. */
export async function run(name: 'helm' | 'helm-unittest' | 'kubeconform', args: readonly string[]): Promise<Outcome> {
  try {
    return { code: 0, ...(await execute(program(name), args, { encoding: 'utf8', maxBuffer })) };
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code?: number; stdout?: string; stderr?: string };
    return { code: Number(code ?? 1), stdout, stderr };
  }
}
