/** What the two backends have in common: levels, fields, errors as data. A backend only writes lines. */
import type { LogFields, Logger, LogLevel } from './logger.js';

/** A backend. Writes one JSON object per line: `time` (ISO 8601), `level` (a word), `msg`, then the fields. */
export interface Sink {
  write(level: LogLevel, message: string, fields: LogFields): void;
  flush(): Promise<void>;
}

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];
const RESERVED = new Set(['time', 'level', 'msg']);
/** Deeper causes say little, and an error may be its own cause. */
const MAX_CAUSES = 5;

// By shape: errors of Node's core are no instances of a sandbox's own Error class.
const isError = (value: unknown): value is Error & { code?: unknown } =>
  value instanceof Error || Object.prototype.toString.call(value) === '[object Error]';

/** An error as JSON: name, message, code, stack and the chain of causes. */
export function serialiseError(error: Error & { code?: unknown }, depth = 0): Record<string, unknown> {
  const { name, message, code, stack, cause } = error;
  return {
    name,
    message,
    ...(code !== undefined && { code }),
    stack,
    ...(cause !== undefined &&
      depth < MAX_CAUSES && { cause: isError(cause) ? serialiseError(cause, depth + 1) : cause }),
  };
}

function serialise(fields: LogFields): LogFields {
  const entries = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => [
      RESERVED.has(key) ? `${key}_` : key,
      isError(value) ? serialiseError(value) : typeof value === 'bigint' ? String(value) : value,
    ]);
  return Object.fromEntries(entries) as LogFields;
}

export function loggerOn(sink: Sink, level: LogLevel, bindings: LogFields = {}): Logger {
  const log = (at: LogLevel) =>
    LEVELS.indexOf(at) < LEVELS.indexOf(level)
      ? () => undefined
      : (message: string, fields?: LogFields) =>
          sink.write(at, message, { ...bindings, ...(fields && serialise(fields)) });
  return {
    debug: log('debug'),
    info: log('info'),
    warn: log('warn'),
    error: log('error'),
    child: (fields) => loggerOn(sink, level, { ...bindings, ...serialise(fields) }),
    flush: () => sink.flush(),
  };
}

/** Resolves when the stream has taken everything before this call. */
export function drained(stream: NodeJS.WritableStream): Promise<void> {
  return new Promise((resolve, reject) => stream.write('', (error) => (error ? reject(error) : resolve())));
}
