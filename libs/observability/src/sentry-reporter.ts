import type { Event, StackFrame, StackParser } from '@sentry/core';
import type { ServerRuntimeClientOptions } from '@sentry/core/server';
import { useErrorReporter, type ErrorPlace } from './error-reports.js';
import { safeError } from './safe-error.js';

const TIMEOUT_MS = 5_000;
/** A fault that hits every request is told of this often a minute; the rest is in the logs. */
const MOST_A_MINUTE = 30;
const FRAMES = 50;
const FRAME = /^\s*at (?:(?<name>.+?) \()?(?:file:\/\/)?(?<file>[^()]+?):(?<line>\d+):(?<column>\d+)\)?$/;

/**
 * Sends unexpected errors to a Sentry-compatible server; the package is loaded only here.
 *
 * An event is built from what is safe, not cleaned of what is not: class of the error, stack, service, place, ids. Messages
 * stay behind, because a parser's or a driver's quotes what it stumbled over; so do headers, query strings, bodies, the
 * host's name, and whatever a later version of the package would add.
 *
 * @param dsn `https://<public key>@<host>/<project>`.
 * @returns sends what is on its way and stops.
 */
export async function startErrorReports(dsn: string, service: string): Promise<() => Promise<void>> {
  const [{ createTransport }, { ServerRuntimeClient }] = await Promise.all([
    import('@sentry/core'),
    import('@sentry/core/server'),
  ]);
  const options: ServerRuntimeClientOptions = {
    dsn,
    integrations: [],
    stackParser: parseStack,
    sendClientReports: false,
    transport: (transport) => createTransport(transport, ({ body }) => send(transport.url, transport.headers, body)),
    beforeSend: (event) => onlyWhatIsSafe(event) as typeof event,
  };
  const client = new ServerRuntimeClient(options);
  client.init();
  const limit = new MinuteLimit(MOST_A_MINUTE);
  useErrorReporter((error, place) => {
    if (limit.allows()) client.captureEvent(eventOf(error, { ...place, service: place.service || service }));
  });
  return async () => {
    useErrorReporter(undefined);
    await client.close(TIMEOUT_MS);
  };
}

function eventOf(error: Error, { service, where, requestId, traceId }: ErrorPlace): Event {
  const { name, code, calls } = safeError(error);
  const cause = code === undefined ? {} : { cause: code };
  const value = `Unexpected ${name} in ${where}`;
  const frames = parseStack(calls);
  return {
    level: 'error',
    platform: 'node',
    tags: { service, where, request_id: requestId, trace_id: traceId, code: 'INTERNAL.UNEXPECTED', ...cause },
    fingerprint: [service, where, error.name, frames.at(-1)?.function ?? ''],
    exception: { values: [{ type: error.name, value, stacktrace: { frames } }] },
  };
}

/** The calls of a stack as Node writes it, outermost first. */
const parseStack: StackParser = (stack) => {
  const frames: StackFrame[] = [];
  for (const line of stack.split('\n')) {
    const { name, file, line: lineno, column } = FRAME.exec(line)?.groups ?? {};
    if (file)
      frames.push({ function: name ?? '?', filename: shortened(file), lineno: Number(lineno), colno: Number(column) });
    if (frames.length === FRAMES) break;
  }
  return frames.toReversed();
};

/** From the part of the repository on: where it is installed is nobody's business. */
const shortened = (file: string): string =>
  /(?:libs|services|node_modules|node:)[/\w].*$/.exec(file)?.[0] ?? 'elsewhere';

function onlyWhatIsSafe({ event_id, timestamp, level, platform, tags, fingerprint, exception, type }: Event): Event {
  return { event_id, timestamp, level, platform, tags, fingerprint, exception, type } as Event;
}

async function send(
  url: string,
  headers: Record<string, string> | undefined,
  body: string | Uint8Array,
): Promise<{ statusCode: number; headers: { 'x-sentry-rate-limits': string | null; 'retry-after': string | null } }> {
  const response = await fetch(url, {
    method: 'POST',
    body: typeof body === 'string' ? body : Buffer.from(body),
    headers: headers ?? {},
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  await response.body?.cancel();
  const named = (name: string): string | null => response.headers.get(name);
  return {
    statusCode: response.status,
    headers: { 'x-sentry-rate-limits': named('x-sentry-rate-limits'), 'retry-after': named('retry-after') },
  };
}

/** So many a minute, from the first one on. */
class MinuteLimit {
  #began = -Infinity;
  #count = 0;

  constructor(private readonly most: number) {}

  allows(): boolean {
    const now = performance.now();
    if (now - this.#began > 60_000) [this.#began, this.#count] = [now, 0];
    this.#count += 1;
    return this.#count <= this.most;
  }
}
