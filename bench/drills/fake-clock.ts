import { chmodSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A clock that can be set for the processes that were started with its environment. */
export interface FakeClock {
  env: Record<string, string>;
  /** Seconds that it is ahead of the right time. */
  set(seconds: number): void;
}

/**
 * A clock that is right until it is set. libfaketime does it (Debian: `libfaketime`).
 * @param file where its offset is written. @throws {Error} when libfaketime is not installed
 */
export function fakeClock(file: string): FakeClock {
  const library = findLibrary();
  const set = (seconds: number): void => {
    writeFileSync(file, `${seconds < 0 ? '-' : '+'}${Math.abs(seconds)}\n`);
    chmodSync(file, 0o644);
  };
  set(0);
  return {
    env: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      FAKETIME_DISABLE_SHM: '1',
    },
    set,
  };
}

function findLibrary(): string {
  const folders = ['/usr/lib', '/usr/local/lib'];
  for (const folder of folders) {
    for (const name of readdirSync(folder, { recursive: false }) as string[]) {
      const path = join(folder, name, 'faketime', 'libfaketimeMT.so.1');
      if (name.endsWith('-linux-gnu') && readdirSync(join(folder, name)).includes('faketime')) return path;
    }
  }
  throw new Error('libfaketime is not installed: apt-get install libfaketime');
}
