import { readdirSync, readFileSync } from 'node:fs';
import { until } from './wait.ts';

/** What Linux says of a process and all that it started: CPU time and memory. */

const TICKS_PER_SECOND = 100;

interface Stat {
  parent: number;
  /** Own and of children that have ended, in ticks. */
  ticks: number;
}

function stat(pid: number): Stat | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name, in brackets, may hold anything: fields are counted after it.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const ticks = [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0);
    return { parent: Number(fields[1]), ticks };
  } catch {
    return null;
  }
}

/** The process and its living descendants. */
export function tree(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    const parent = stat(pid)?.parent;
    if (parent === undefined) continue;
    const siblings = children.get(parent);
    if (siblings) siblings.push(pid);
    else children.set(parent, [pid]);
  }
  const found = [root];
  for (const pid of found) found.push(...(children.get(pid) ?? []));
  return found;
}

/** CPU time of these processes so far, in milliseconds. Those that have ended count as 0: their parent has theirs. */
export function cpuMs(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + ((stat(pid)?.ticks ?? 0) * 1000) / TICKS_PER_SECOND, 0);
}

/** Proportional set size of these processes together, in megabytes: shared pages are counted once. Needs their user or root. */
export function pssMb(pids: readonly number[]): number {
  let kb = 0;
  for (const pid of pids) {
    try {
      kb += Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))?.[1] ?? 0);
    } catch (error) {
      // Ended meanwhile. Anything else would make the figure too small without a word.
      const code = (error as NodeJS.ErrnoException).code;
      if (code !== 'ENOENT' && code !== 'ESRCH') throw error;
    }
  }
  return kb / 1024;
}

/** CPU time in half a second, in milliseconds, below which two products with their databases only look whether there is something to do. */
const CALM = 75;

/** Waits until these processes have done next to nothing for two seconds, so that one run does not pay for the last. */
export async function quiet(pids: () => readonly number[], deadlineMs = 120_000): Promise<void> {
  let before = cpuMs(pids());
  let calm = 0;
  const look = (): true | null => {
    const now = cpuMs(pids());
    calm = now - before < CALM ? calm + 1 : 0;
    before = now;
    return calm >= 4 ? true : null;
  };
  await until('the processes to be idle', look, { everyMs: 500, deadlineMs });
}
