import type { LoggerService } from '@nestjs/common';
import { trace } from '@opentelemetry/api';
import pino, { type Logger } from 'pino';
import { currentContext } from './request-context.js';
import { loggedError } from './safe-error.js';

export type { Logger };

/** Fields every line carries where they are known, so one id finds every line of a request. */
function contextFields(): Record<string, string> {
  const context = currentContext();
  const span = trace.getActiveSpan()?.spanContext();
  return {
    ...(context ? { request_id: context.requestId, tenant: context.tenant } : {}),
    ...(span ? { trace_id: span.traceId, span_id: span.spanId } : {}),
  };
}

/** One JSON line per event: time, level, service, message, ids. Of an error (`err`) no more is told than `LoggedError` says. */
export function createLogger(service: string, level: string, destination?: pino.DestinationStream): Logger {
  const options: pino.LoggerOptions = {
    level,
    base: { service },
    messageKey: 'message',
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    mixin: contextFields,
    serializers: { err: loggedError },
    redact: {
      paths: ['*.authorization', '*.password', '*.secret', '*.api_key', '*.databaseUrl'],
      censor: '[redacted]',
    },
  };
  return destination ? pino(options, destination) : pino(options);
}

/** Lets Nest write through our logger. Its routine start-up lines go to debug. */
export function nestLogger(logger: Logger): LoggerService {
  return {
    log: (message: unknown) => logger.debug(String(message)),
    debug: (message: unknown) => logger.debug(String(message)),
    verbose: (message: unknown) => logger.trace(String(message)),
    warn: (message: unknown) => logger.warn(String(message)),
    error: (message: unknown, stack?: unknown) => frameworkError(logger, message, stack),
    fatal: (message: unknown) => logger.fatal(String(message)),
  };
}

/** What comes as an error, or with a stack, has the message of an error nobody foresaw. */
function frameworkError(logger: Logger, message: unknown, stack: unknown): void {
  const isTrace = typeof stack === 'string' && stack.includes('\n    at ');
  if (!isTrace && !(message instanceof Error)) return logger.error(String(message));
  const err = message instanceof Error ? message : Object.assign(new Error(String(message)), { stack });
  logger.error({ err }, 'The framework reports an error');
}
