import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';

/** Names and values as a process gets them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The process's environment over the `.env` file's; a missing file is fine. Call it once, in `main.ts`. */
export function readEnvironment(file = '.env', environment: Environment = process.env): Environment {
  if (!existsSync(file)) return environment;
  return { ...parseEnv(readFileSync(file, 'utf8')), ...environment };
}
