/** What an error holds beside its message, which may quote what a parser or a driver stumbled over. */
export interface SafeError {
  /** Its class, and the code it came with, a driver's say. */
  readonly name: string;
  readonly code: string | undefined;
  /** The calls of its stack, innermost first, a line each. */
  readonly calls: string;
}

export function safeError(error: Error): SafeError {
  const { code } = error as { code?: unknown };
  const isCode = typeof code === 'string' && /^[A-Z0-9_.]{1,40}$/.test(code);
  return { name: error.name, code: isCode ? code : undefined, calls: callsOf(error) };
}

/** The stack without the message, whose lines may look like calls. */
function callsOf({ stack = '', message }: Error): string {
  const at = stack.indexOf(message);
  if (at < 0) return message.includes('\n') ? '' : stack;
  return stack.slice(at + message.length);
}
