import { EXIT } from './exit-codes.ts';

/** Milliseconds. */
const SAME_KEYSTROKE = 300;

/**
 * Runs `stop` at the first Ctrl-C or SIGTERM, so that a command can end in good order; a second one ends the process at
 * once. Under npm one Ctrl-C may arrive twice, from the terminal and from npm: what comes within a moment is the same.
 * Returns what takes the handlers away again.
 */
export function onInterrupt(stop: () => void): () => void {
  let askedAt: number | null = null;
  const handle = () => {
    if (askedAt === null) {
      askedAt = performance.now();
      stop();
    } else if (performance.now() - askedAt > SAME_KEYSTROKE) {
      process.exit(EXIT.interrupted);
    }
  };
  process.on('SIGINT', handle);
  process.on('SIGTERM', handle);
  return () => {
    process.off('SIGINT', handle);
    process.off('SIGTERM', handle);
  };
}
