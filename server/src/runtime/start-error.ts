/**
 * A known trouble at start: a port in use, a folder that cannot be written, a setting that is wrong. Its message is what
 * the operator reads, without a stack: it says what is the matter and what to do. One line, unless several settings are
 * wrong at once; then one line each. Whoever catches it at the top prints the message and exits with `exitCode`.
 */
export class StartError extends Error {
  override readonly name = 'StartError';
  /** What the process ends with: 1, or 2 when the configuration or the command line is wrong. */
  readonly exitCode: number;

  constructor(message: string, options: { cause?: unknown; exitCode?: number } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exitCode = options.exitCode ?? 1;
  }
}
