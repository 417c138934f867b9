import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../src/wait.ts';

/**
 * A disk whose power can be cut: ext4 on a file. A cut is ext4's own shutdown without flushing its log, then an unmount
 * and a mount that replays the journal. It models a disk that honours flushes, not one that lies about them.
 */
export interface LoopDisk extends AsyncDisposable {
  /** Where it is mounted. */
  readonly path: string;
  /** From now on nothing more reaches the disk. */
  cut(): void;
  /** Brings it back as it was when the power went. Nobody may have a file of it open. */
  restore(): Promise<void>;
  /** A new, empty file system. */
  format(): Promise<void>;
  /** Takes more room away, by a file, until so many bytes are left to those who are not root. */
  fill(left: number): void;
  /** Gives that room back. */
  empty(): void;
}

// Node has no ioctl. EXT4_IOC_SHUTDOWN and its flag NOLOGFLUSH stand in Linux' include/uapi/linux/ext4.h.
const SHUTDOWN = `
import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587D, struct.pack("I", 2))`;

/** @throws {Error} that says what is missing: root, loop devices, mkfs.ext4, python3 */
export async function loopDisk(size: string): Promise<LoopDisk> {
  if (process.getuid?.() !== 0) throw new Error('this drill needs root: it mounts a file system of its own');
  const base = mkdtempSync(join(tmpdir(), 'aldis-power-'));
  const image = join(base, 'disk.img');
  const path = join(base, 'disk');
  mkdirSync(path);
  execFileSync('chmod', ['755', base]);
  const fillers: string[] = [];
  let mounted = false;

  const unmount = async (): Promise<void> => {
    if (!mounted) return;
    await until('the disk to be free', () => attempt('umount', [path]) || null, { everyMs: 200, deadlineMs: 20_000 });
    mounted = false;
  };
  const mount = (): void => {
    run('mount', ['-o', 'loop', image, path]);
    mounted = true;
  };
  const disk: LoopDisk = {
    path,
    cut: () => run('python3', ['-c', SHUTDOWN, path]),
    async restore() {
      await unmount();
      mount();
    },
    async format() {
      await unmount();
      rmSync(image, { force: true });
      run('truncate', ['-s', size, image]);
      run('mkfs.ext4', ['-q', image]);
      mount();
      run('sync', []);
    },
    fill(left) {
      const { bavail, bsize } = statfsSync(path);
      const taken = bavail * bsize - left;
      if (taken <= 0)
        throw new Error(`only ${bavail * bsize} bytes are free, fewer than the ${left} that should be left`);
      const filler = join(path, `filler${fillers.length}`);
      run('fallocate', ['-l', String(taken), filler]);
      fillers.push(filler);
    },
    empty() {
      for (const filler of fillers.splice(0)) rmSync(filler, { force: true });
    },
    async [Symbol.asyncDispose]() {
      await unmount();
      rmSync(base, { recursive: true, force: true });
    },
  };
  await disk.format();
  return disk;
}

function run(command: string, args: readonly string[]): void {
  try {
    execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
  } catch (error) {
    const said = (error as { stderr?: string }).stderr ?? String(error);
    const needed = 'root, loop devices, mount, e2fsprogs and python3 are needed';
    throw new Error(`${command} failed (${needed}): ${said.trim()}`, { cause: error });
  }
}

function attempt(command: string, args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
