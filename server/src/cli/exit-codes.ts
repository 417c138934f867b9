/** What the process's exit code says. docs/cli.md has the same table. */
export const EXIT = {
  /** Done. */
  ok: 0,
  /** Something failed that is none of the others: a file that cannot be read, an answer that makes no sense. */
  failure: 1,
  /** The command was written wrongly. Nothing was done. */
  usage: 2,
  /** The server could not be reached, or stayed unavailable. */
  unreachable: 3,
  /** The server refused: wrong key, invalid message, unknown id. */
  refused: 4,
  /** An import went through, but some rows were refused or, with `--wait`, failed. */
  partly: 5,
  /** The message was accepted, but the state waited for did not come. */
  notReached: 6,
  /** Stopped by Ctrl-C or SIGTERM before the end. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A trouble with a known meaning: one line for the user, and the exit code for the script. */
export class CliError extends Error {
  readonly exitCode: ExitCode;
  /** The server's word for it, or our own, for programs that read the output. */
  readonly code: string;
  /** The field of the request that was wrong, when one was. */
  readonly field: string | null;

  constructor(
    exitCode: ExitCode,
    code: string,
    message: string,
    { field = null, cause }: { field?: string | null; cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'CliError';
    this.exitCode = exitCode;
    this.code = code;
    this.field = field;
  }
}

/** The command was written wrongly. */
export function usageError(message: string): CliError {
  return new CliError(EXIT.usage, 'usage', message);
}
