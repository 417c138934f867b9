/** Writes one line for people to standard error. Standard output belongs to the line that says the program is ready. */
export type Log = (message: string) => void;

export const logToStderr: Log = (message) => {
  process.stderr.write(`${new Date().toISOString()} simulator ${message}\n`);
};

/** A log that lets a line through at most once every `milliseconds` and says how many it kept back. */
export function seldom(log: Log, milliseconds: number): Log {
  let quietUntil = 0;
  let keptBack = 0;
  return (message) => {
    const now = performance.now();
    if (now < quietUntil) {
      keptBack++;
      return;
    }
    log(keptBack > 0 ? `${message} (and ${keptBack} more since the last such line)` : message);
    keptBack = 0;
    quietUntil = now + milliseconds;
  };
}
