/** What a look at one thing found. */
export interface Finding {
  /** What was looked at. */
  name: string;
  /** `fail`: something does not work; `warn`: it works, and something should be seen to. */
  status: 'ok' | 'warn' | 'fail';
  message: string;
  /** What to do; absent when all is well. */
  advice?: string;
}

export function ok(name: string, message: string): Finding {
  return { name, status: 'ok', message };
}

export function warn(name: string, message: string, advice: string): Finding {
  return { name, status: 'warn', message, advice };
}

export function fail(name: string, message: string, advice: string): Finding {
  return { name, status: 'fail', message, advice };
}

/** What an error says, in one line. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  const text = error.message || (cause instanceof Error ? cause.message : '') || error.name;
  return 'code' in error && !text.includes(String(error.code)) ? `${text} (${String(error.code)})` : text;
}
