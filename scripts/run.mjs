// Runs a part of the project with the Node it is made for: `node scripts/run.mjs start|test|…`, which is what `npm start` and
// its like do. Plain JavaScript without dependencies, for it runs on whatever Node the host has (20 or newer): it installs
// what is missing, finds the runtime, and hands over.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureInstalled } from './install.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const CLI = 'server/src/cli/main.ts';

/**
 * The server's memory is mostly reserve. Collections before the heap has doubled, and a libc that gives large blocks back,
 * cost no time that can be measured and save about 80 MB under load. A smaller nursery would cost some (bench/RESULTS.md). With the
 * collector at hand an idle server gives back what a burst of work left behind (server/src/runtime/idle-collection.ts).
 */
const LEAN = ['--max-semi-space-size=16', '--heap-growing-percent=80', '--expose-gc'];
const LEAN_ENV = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '65536', MALLOC_TRIM_THRESHOLD_: '131072' };

/** What each target runs. Those `inRoot` mean the project's files by their arguments, the others the caller's. */
const TARGETS = {
  start: { run: (args) => [...LEAN, ...settings(), join(ROOT, CLI), 'start', ...args], env: LEAN_ENV },
  aldis: { run: (args) => [...settings(), join(ROOT, CLI), ...args] },
  simulator: { run: (args) => [...settings(), join(ROOT, 'simulator/src/main.ts'), ...args] },
  test: { run: (args) => ['scripts/test.mjs', ...args], inRoot: true },
  check: { run: (args) => ['scripts/check.mjs', ...args], inRoot: true },
  bench: { run: (args) => ['bench/src/main.ts', ...args], inRoot: true },
  drills: { run: (args) => ['bench/drills/main.ts', ...args], inRoot: true },
  simulation: { run: (args) => ['bench/simulation/main.ts', ...args], inRoot: true },
  conformance: { run: (args) => ['tools/conformance/main.ts', ...args], inRoot: true },
  generate: { run: (args) => ['tools/generate.ts', ...args], inRoot: true },
};

/** Variables from the project's .env, under those of the shell. */
function settings() {
  const file = join(ROOT, '.env');
  return existsSync(file) ? [`--env-file=${file}`] : [];
}

const [name, ...args] = process.argv.slice(2);
const target = Object.hasOwn(TARGETS, name ?? '') ? TARGETS[name] : undefined;
if (target) {
  try {
    const runtime = await ensureInstalled(ROOT);
    handOver(runtime, target.run(args), target);
  } catch (error) {
    if (error.code !== 'ALDIS_INSTALL') throw error;
    console.error(`aldis: ${error.message}`);
    process.exitCode = 1;
  }
} else {
  console.error(`usage: node scripts/run.mjs ${Object.keys(TARGETS).join('|')} [arguments]`);
  process.exitCode = 2;
}

/** Becomes the runtime where this Node can (no process in between, so signals and exit are the program's own), else waits for it. */
function handOver(runtime, programArgs, { inRoot = false, env: own = {} }) {
  const first = [join(ROOT, 'node_modules', '.bin'), dirname(runtime)];
  const rest = (process.env.PATH ?? '').split(delimiter).filter((folder) => !first.includes(folder));
  const env = {
    // Types are stripped and code is compiled once, not at each start.
    NODE_COMPILE_CACHE: join(ROOT, 'node_modules', '.cache', 'compiled'),
    ...own,
    ...process.env,
    PATH: [...first, ...rest].join(delimiter),
  };
  if (inRoot) process.chdir(ROOT);
  if (process.execve) process.execve(runtime, [runtime, ...programArgs], env);
  else waitFor(spawn(runtime, programArgs, { stdio: 'inherit', env }));
}

/** Passes signals on, and ends as the child ends. */
function waitFor(child) {
  const terminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  const passed = new Map();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      // In a terminal Ctrl-C reaches every process of the group, the child too.
      if (terminal && signal === 'SIGINT') return;
      // npm passes on what the group has had already: one wish may come twice.
      if (Date.now() - (passed.get(signal) ?? 0) < 1000) return;
      passed.set(signal, Date.now());
      child.kill(signal);
    });
  }
  child.on('error', (error) => {
    console.error(`aldis: cannot run ${child.spawnfile}: ${error.message}`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
