// `npm test`: all tests of the workspaces, or the files and folders that are named. The files share one database server, in
// which each makes databases of its own: the one that ALDIS_TEST_DATABASE_URL names, else an embedded one that lives in a
// folder of its own for as long as the tests run.

import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '../server/src/db/embedded/embedded.ts';
import { openPool } from '../server/src/db/pool.ts';

const EVERYTHING = ['server', 'simulator', 'bench'].map((workspace) => `${workspace}/test`);
/** Rows of tests need not outlive a power cut. Two files at a time, each with a few pools. */
const SETTINGS = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: 200 };

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
  const superuser = openPool({ connection: login, max: 1, onError: console.error });
  try {
    await superuser.script(`alter role ${connection.user} createdb`);
  } finally {
    await superuser.close();
  }
}

/** A folder means the tests in it. */
function testFiles(name) {
  return statSync(name, { throwIfNoEntry: false })?.isDirectory() ? `${name.replace(/\/$/, '')}/**/*.test.ts` : name;
}

/** Runs the tests and gives their exit code. Two files at a time: each may start a database and a server. */
function runTests(args, env) {
  const flags = args.filter((arg) => arg.startsWith('-'));
  const named = args.filter((arg) => !arg.startsWith('-'));
  const files = (named.length > 0 ? named : EVERYTHING).map(testFiles);
  const options = ['--test', '--test-concurrency=2', '--test-reporter=spec', ...flags, ...files];
  const child = spawn(process.execPath, options, { stdio: 'inherit', env });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

const args = process.argv.slice(2);
if (process.env.ALDIS_TEST_DATABASE_URL) {
  process.exitCode = await runTests(args, process.env);
} else {
  const server = await startServer();
  try {
    process.exitCode = await runTests(args, { ...process.env, ALDIS_TEST_DATABASE_URL: server.url });
  } finally {
    await server.stop();
  }
}
