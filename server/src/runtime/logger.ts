import { isatty } from 'node:tty';
import pino from 'pino';
import pretty from 'pino-pretty';
import { createSeldom, isOutage } from './outages.ts';
import type { Config } from './settings.ts';

/**
 * The log: to standard error, JSON for machines and readable lines in a terminal. It never holds the text of a message, a
 * token or a key. Written synchronously, so that the last line before a crash is there; the hot paths log nothing at `info`.
 */
export type Logger = pino.Logger;

/** What an entry may be about. These names, and no others, carry ids in the log. */
export interface LogIds {
  request_id?: string;
  tenant_id?: string;
  sender_id?: string;
  message_id?: string;
  conversation_id?: string;
  contact_id?: string;
  batch_id?: string;
  instance_id?: string;
  /** The part of the program, such as `dispatch`. */
  part?: string;
}

/**
 * Fields that never reach the log, whoever passes them: at the top of an entry and one level below. A second net, for
 * nobody is meant to log them.
 */
const SECRETS = [
  'authorization',
  'x-api-key',
  'api_key',
  'access_token',
  'app_secret',
  'verify_token',
  'password',
  'secret',
  'token',
  'connectionString',
  'body',
  'content',
  'text',
  'template',
  'variables',
  'metadata',
];

/** Makes the root logger. `fd` is for tests. */
export function createLogger({ log, environment, service }: LoggerConfig, fd = 2): Logger {
  const terminal = isatty(fd);
  const readable = log.format === 'pretty' || (log.format === 'auto' && terminal && environment !== 'production');
  const destination = readable
    ? pretty({
        destination: fd,
        sync: true,
        colorize: terminal,
        translateTime: 'SYS:HH:MM:ss.l',
        ignore: 'pid,hostname,service',
        singleLine: true,
      })
    : pino.destination({ fd, sync: true });
  const seldom = createSeldom();
  return pino(
    {
      hooks: {
        /** What fails again and again because something is away is said now and then, with how often it was not said. */
        logMethod(args, method) {
          const [about, text] = args as [unknown, unknown];
          if (!isRepeatedOutage(about) || typeof text !== 'string') return method.apply(this, args);
          const { say, unsaid } = seldom(`${String(about.part ?? this.bindings()['part'] ?? '')} ${text}`);
          if (say) method.apply(this, [unsaid > 0 ? { ...about, unsaid } : about, text] as typeof args);
        },
      },
      level: log.level,
      base: { service: service.name, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError, error: describeError },
      redact: {
        paths: SECRETS.flatMap((name) => [`["${name}"]`, `*["${name}"]`]),
        censor: '[redacted]',
      },
    },
    destination,
  );
}

/** An outage that a recurring round met: an entry about a request or a message has its id, and is written each time. */
function isRepeatedOutage(about: unknown): about is { error: unknown; part?: unknown } {
  if (typeof about !== 'object' || about === null || !('error' in about) || !isOutage(about.error)) return false;
  return Object.keys(about).every((name) => name === 'error' || name === 'part');
}

/** The part of the configuration that a logger needs. */
export type LoggerConfig = Pick<Config, 'log' | 'environment' | 'service'>;

/** A logger whose entries all carry these ids. */
export function withIds(logger: Logger, ids: LogIds): Logger {
  return logger.child({ ...ids });
}

/** An error as it is logged. */
export interface LoggedError {
  type: string;
  message: string;
  code?: string | number;
  /** Of the database: what was violated. Its `detail` holds values of the row, so it is left out. */
  constraint?: string;
  stack?: string;
  cause?: LoggedError;
}

/**
 * Chosen fields of an error and of its causes, five deep: what else hangs on an error may hold rows or requests. That something is
 * away is said without a stack.
 */
function describeError(error: unknown, depth = 0): LoggedError {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error) };
  const described: LoggedError = { type: error.name, message: error.message };
  if ('code' in error && (typeof error.code === 'string' || typeof error.code === 'number'))
    described.code = error.code;
  if ('constraint' in error && typeof error.constraint === 'string') described.constraint = error.constraint;
  if (described.message === '' && described.code !== undefined) described.message = String(described.code);
  if (error.stack !== undefined && !isOutage(error)) described.stack = error.stack;
  if (error.cause !== undefined && depth < 5) described.cause = describeError(error.cause, depth + 1);
  return described;
}
