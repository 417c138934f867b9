import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import readline from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Binaries } from './binaries.ts';
import { as, type Who } from './who.ts';

/*
 * Programs that end with us, however we end. Between us and the program stands a `sh` that reads a pipe of which we hold
 * the other end. When we are gone, by `kill -9` too, its read ends, and it ends the program.
 *
 * Each guard leads a session of its own, so that a Ctrl-C in the terminal reaches us and not the database under us. It
 * kills its reader before it ends: a reader left behind would later signal a number that may be somebody else's by then.
 */

/** Runs the server, and shuts it down fast (SIGINT) when the pipe ends. */
const SERVER = `
exec 3<&0
"$@" 3<&- </dev/null &
server=$!
trap '' INT TERM HUP QUIT
(read -r _ <&3; kill -INT $server 2>/dev/null) 2>/dev/null &
reader=$!
wait $server
status=$?
kill -KILL $reader 2>/dev/null
exit $status`;

/** Runs a program that is worth nothing half done: when the pipe ends, it and its children are killed at once. */
const TOOL = `
exec 3<&0
"$@" 3<&- </dev/null &
tool=$!
(read -r _ <&3; kill -KILL 0) &
reader=$!
wait $tool
status=$?
kill -KILL $reader 2>/dev/null
exit $status`;

/** Watches over a server that runs already: $1 is its process number. */
const ORPHAN = `
trap '' INT TERM HUP QUIT
read -r _
kill -INT "$1" 2>/dev/null`;

const SCRIPTS = { server: SERVER, tool: TOOL, orphan: ORPHAN };

/** How long the last lines of a program that has ended are waited for. */
const LAST_WORDS_MS = 200;

/** A program under guard. */
export interface Guarded {
  /** The guard's own number, not the program's. */
  readonly pid: number | undefined;
  /** Resolves when the program has ended, with how: `exit 0`, `SIGKILL`. */
  readonly ended: Promise<string>;
  /** Lets go of the pipe: the program is ended in its way. */
  letGo(): void;
  /** Kills the guard and leaves the program. */
  dismiss(): void;
}

/** Starts `command` (or, for an orphan, a watch over it) as `who`, with a guard; `onLine` gets what it writes on stderr. */
export function guard(
  kind: keyof typeof SCRIPTS,
  command: readonly string[],
  { who, env, cwd, onLine }: { who: Who; env: Binaries['env']; cwd: string; onLine: (line: string) => void },
): Guarded {
  const child = spawn('/bin/sh', ['-c', SCRIPTS[kind], 'sh', ...command], {
    ...as(who),
    env,
    cwd,
    stdio: ['pipe', 'ignore', 'pipe'],
    detached: true,
  });
  child.stdin.on('error', () => {
    // The guard is gone; `ended` tells.
  });
  const lines = readline.createInterface({ input: child.stderr }).on('line', onLine);
  const heard = once(lines, 'close');
  return {
    pid: child.pid,
    ended: endOf(child, heard),
    letGo: () => child.stdin.end(),
    dismiss: () => child.kill('SIGKILL'),
  };
}

async function endOf(child: ChildProcess, heard: Promise<unknown>): Promise<string> {
  try {
    const exit: unknown = await once(child, 'exit');
    const [code, signal] = exit as [code: number | null, signal: NodeJS.Signals | null];
    // Its last words are worth waiting for, but not for as long as a process it left behind may hold the pipe.
    await Promise.race([heard, sleep(LAST_WORDS_MS)]);
    return signal ?? `exit ${code}`;
  } catch (error) {
    return (error as Error).message;
  }
}
