// `npm test`: all tests of the workspaces, or the files and folders that are named. The files share one database server, in
// which each makes databases of its own: the one that ALDIS_TEST_DATABASE_URL names, else an embedded one that lives in a
// folder of its own for as long as the tests run. The schema is made once, in a database that the others are copies of.

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '../server/src/db/embedded/embedded.ts';
import { migrate } from '../server/src/db/migrate.ts';
import { openPool } from '../server/src/db/pool.ts';

const EVERYTHING = ['server', 'client', 'simulator', 'bench'].map((workspace) => `${workspace}/test`);
/** Rows of tests need not outlive a power cut. Some files at a time, each with a few pools. */
const SETTINGS = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: 300 };
/** Files at a time. Half of them wait: for a program to start, or for time to pass. */
const FILES_AT_A_TIME = Math.min(8, 2 * availableParallelism());
/** More files than these do not fail by chance. */
const MOST_AGAIN = 3;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** What the tests' server has to say for itself is of interest when it has trouble. */
const log = { debug() {}, info() {}, warn: console.error, error: console.error };

/** Starts the database server of the suite. */
async function startServer() {
  const folder = mkdtempSync(join(tmpdir(), 'aldis-test-'));
  // Root steps down to another user for PostgreSQL, who has to get there.
  chmodSync(folder, 0o711);
  const removeFolder = () => rmSync(folder, { recursive: true, force: true });
  try {
    const postgres = await startEmbeddedPostgres({ folder, folderIsNamed: true, log, settings: SETTINGS });
    const stop = () => postgres.stop().finally(removeFolder);
    try {
      await allowDatabases(postgres);
    } catch (error) {
      await stop();
      throw error;
    }
    const { host, port, user, password, database } = postgres.connection;
    // A folder is no host name of a URL: it goes behind, where the driver reads it as well.
    const url = `postgres://${user}:${password}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`;
    return { url, stop };
  } catch (error) {
    removeFolder();
    throw error;
  }
}

/** Lets the application's role make databases. The tests need no superuser, and so prove that the program needs none. */
async function allowDatabases({ connection, folder }) {
  const password = readFileSync(join(folder, 'superuser-password'), 'utf8').trim();
  const login = { ...connection, user: 'postgres', password, database: 'postgres' };
  await inDatabase(login, (superuser) => superuser.script(`alter role ${connection.user} createdb`));
}

/**
 * Makes the database that migrated ones are copies of: to copy it takes a fifth of what an empty one and its migrations take.
 * @returns its name, for ALDIS_TEST_TEMPLATE; none when the migrations fail, which each test that needs them then tells.
 */
async function makeTemplate(server) {
  const name = `aldis_template_${randomBytes(4).toString('hex')}`;
  const url = new URL(server);
  url.pathname = `/${name}`;
  await inDatabase(server, (db) => db.script(`create database ${name} template template0`));
  // Not by force: nobody is connected but a worker of autovacuum, which the server ends by itself, and our role may not.
  const drop = () => inDatabase(server, (db) => db.script(`drop database ${name}`));
  const made = await inDatabase(url.href, (db) => migrate(db)).catch((error) => console.error(String(error)));
  return { name: made ? name : '', drop };
}

async function inDatabase(connection, work) {
  const db = openPool({ connection, max: 1, onError: console.error });
  try {
    return await work(db);
  } finally {
    await db.close();
  }
}

/** A folder means the tests in it. */
function testFiles(name) {
  return statSync(name, { throwIfNoEntry: false })?.isDirectory() ? `${name.replace(/\/$/, '')}/**/*.test.ts` : name;
}

/** Runs tests and gives their exit code, and those that failed. */
async function runTests(files, atATime, flags, env) {
  const folder = mkdtempSync(join(tmpdir(), 'aldis-failed-'));
  const failures = join(folder, 'failures');
  const options = [
    '--test',
    `--test-concurrency=${atATime}`,
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    `--test-reporter=${new URL('failed-tests.mjs', import.meta.url)}`,
    `--test-reporter-destination=${failures}`,
    ...flags,
    ...files,
  ];
  try {
    const child = spawn(process.execPath, options, { stdio: 'inherit', env });
    let stopped = false;
    const pass = (signal) => {
      stopped = true;
      child.kill(signal);
    };
    for (const signal of SIGNALS) process.on(signal, pass);
    const [code] = await once(child, 'exit');
    for (const signal of SIGNALS) process.off(signal, pass);
    const failed = existsSync(failures) ? readFileSync(failures, 'utf8').trim().split('\n').filter(Boolean) : [];
    return { code: code ?? 1, stopped, failed: failed.map((line) => JSON.parse(line)) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Runs the tests that are named, or all, and gives their exit code. When few files fail in CI or among all, each is run once more with nothing
 * beside it, and that counts; what passed only then is said (docs/adr/0028-a-failed-test-file-is-run-once-more.md).
 */
async function runSuite(args, env) {
  const flags = args.filter((arg) => arg.startsWith('-'));
  const named = args.filter((arg) => !arg.startsWith('-'));
  const files = (named.length > 0 ? named : EVERYTHING).map(testFiles);
  const first = await runTests(files, FILES_AT_A_TIME, flags, env);
  const failed = [...new Set(first.failed.map(({ file }) => file))];
  const again = (env.CI || named.length === 0) && !first.stopped && failed.length > 0 && failed.length <= MOST_AGAIN;
  if (first.code === 0 || !again) return first.code;
  console.log(
    `\n${failed.length} test files failed. They are run once more, with nothing beside them:\n${failed.join('\n')}\n`,
  );
  const second = await runTests(failed, 1, flags, env);
  const isBroken = (one) => second.failed.some(({ file, name }) => file === one.file && name === one.name);
  for (const one of first.failed) {
    const { file, name } = one;
    if (!isBroken(one)) console.log(`UNSTEADY: failed among the others, passed alone: ${name} (${file})`);
  }
  return second.code;
}

/** Runs the tests on a database server, and gives their exit code. */
async function runOn(url, args) {
  const template = await makeTemplate(url);
  try {
    return await runSuite(args, { ...process.env, ALDIS_TEST_DATABASE_URL: url, ALDIS_TEST_TEMPLATE: template.name });
  } finally {
    await template.drop();
  }
}

const args = process.argv.slice(2);
if (process.env.ALDIS_TEST_DATABASE_URL) {
  process.exitCode = await runOn(process.env.ALDIS_TEST_DATABASE_URL, args);
} else {
  const server = await startServer();
  try {
    process.exitCode = await runOn(server.url, args);
  } finally {
    await server.stop();
  }
}
