import { StartError } from '../runtime/start-error.ts';
import { CliError, EXIT } from './exit-codes.ts';

/**
 * Where a command says what: the result on standard output, everything else on standard error, so that the output can
 * be piped. With `--json` the result is one JSON document and an error is one JSON line.
 */
export interface Output {
  readonly json: boolean;
  /** Whether a person is likely to see standard error: then progress is a bar. */
  readonly interactive: boolean;
  /** The result: the value with `--json`, else the text. */
  result(value: unknown, text: string): void;
  /** One of many results, as it comes: a line of JSON, or of text. Resolves when the reader has taken it. */
  line(value: unknown, text: string): Promise<void>;
  /** A remark for a person. It is no part of the result. */
  note(text: string): void;
}

/** The two streams that are written to, as a test may also give them. */
export interface Streams {
  stdout: NodeJS.WritableStream & { isTTY?: boolean };
  stderr: NodeJS.WritableStream & { isTTY?: boolean };
}

export function createOutput(json: boolean, streams: Streams = process): Output {
  const { stdout, stderr } = streams;
  return {
    json,
    interactive: stderr.isTTY === true,
    result(value, text) {
      if (json) stdout.write(`${JSON.stringify(value, null, 2)}\n`);
      // An empty list has no line, rather than an empty one.
      else if (text !== '') stdout.write(`${shown(text)}\n`);
    },
    async line(value, text) {
      if (!stdout.write(`${json ? JSON.stringify(value) : shown(text)}\n`)) {
        await new Promise((resolve) => stdout.once('drain', resolve));
      }
    },
    note(text) {
      stderr.write(`${text}\n`);
    },
  };
}

/**
 * What customers call themselves and write stands in what is printed: no control character of theirs reaches the terminal, which
 * would obey it.
 */
function shown(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, '\ufffd');
}

/** Says what went wrong, and returns the exit code for it. A trouble without a known meaning shows its stack. */
export function reportError(error: unknown, json: boolean, streams: Streams = process): number {
  const known = knownTrouble(error);
  const text = known?.message ?? (error instanceof Error ? (error.stack ?? error.message) : String(error));
  const exitCode = known?.exitCode ?? EXIT.failure;
  if (json) {
    const { code = 'failure', field = null } = known ?? {};
    const report = { error: code, message: text, field, exit_code: exitCode };
    streams.stderr.write(`${JSON.stringify(report)}\n`);
  } else {
    streams.stderr.write(`aldis: ${text}\n`);
  }
  return exitCode;
}

interface Trouble {
  message: string;
  exitCode: number;
  code?: string;
  field?: string | null;
}

function knownTrouble(error: unknown): Trouble | null {
  return error instanceof CliError || error instanceof StartError ? error : fileError(error);
}

/** Troubles of the file system explain themselves; a stack would not help. */
function fileError(error: unknown): Trouble | null {
  if (!(error instanceof Error) || !('code' in error) || !('path' in error)) return null;
  const why: Record<string, string> = {
    ENOENT: 'there is no such file',
    EISDIR: 'it is a folder, not a file',
    EACCES: 'permission denied',
    EPERM: 'permission denied',
    EROFS: 'the file system is read-only',
    ENOSPC: 'the disk is full',
  };
  return new CliError(EXIT.failure, 'file', `${error.path}: ${why[String(error.code)] ?? error.message}`);
}
