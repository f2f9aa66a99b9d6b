import { isRagmeshError } from '@ragmesh/errors';

/** Exit code of a start that cannot succeed until someone changes something (EX_CONFIG of sysexits.h). */
export const EXIT_CONFIGURATION = 78;

/** Names of the variables that set the ports of a process, by port. */
export type PortVariables = Readonly<Record<number, string>>;

/** What a person reads when a start fails: one sentence where we know what is wrong, else the stack. */
export function explainFailure(error: unknown, variables: PortVariables = {}): string {
  if (isRagmeshError(error)) return error.message;
  const port = takenPort(error);
  if (port !== undefined) {
    const variable = variables[port] ?? 'SERVER_PORT';
    return `Port ${port} is taken by another program. Stop it, or set ${variable} to a free port.`;
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** The exit code that tells a supervisor whether starting again can help. */
export function exitCodeOf(error: unknown): number {
  const isConfiguration = isRagmeshError(error) && error.code.startsWith('CONFIG.');
  return isConfiguration || takenPort(error) !== undefined ? EXIT_CONFIGURATION : 1;
}

/** HTTP servers say so in fields, gRPC's in its sentence. */
function takenPort(error: unknown): number | undefined {
  const { code, port, message } = error as { code?: string; port?: number; message?: string };
  if (code === 'EADDRINUSE') return port;
  const [, said] = /EADDRINUSE[^\]]*:(\d+)/.exec(message ?? '') ?? [];
  return said === undefined ? undefined : Number(said);
}
