import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import pg from 'pg';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/db/embedded/embedded.ts';
import { StartError } from '../../src/runtime/start-error.ts';
import {
  afterwards,
  isRoot,
  lives,
  memoryLog,
  mendable,
  query,
  running,
  scratch,
  shortFolder,
  start,
  startOwner,
  stopOwner,
  until,
} from './embedded-rig.ts';

test('first start makes the database, the second one finds what was written', async (t) => {
  const folder = path.join(scratch(t), 'data');
  const first = await start(t, folder);
  const [role] = await query<{ rolsuper: boolean; owner: string; encoding: string; checksums: string }>(
    first.connection,
    `select rolsuper, pg_get_userbyid(datdba) as owner, pg_encoding_to_char(encoding) as encoding,
            current_setting('data_checksums') as checksums
       from pg_roles, pg_database where rolname = current_user and datname = current_database()`,
  );
  assert.deepEqual(role, { rolsuper: false, owner: 'aldis', encoding: 'UTF8', checksums: 'on' });
  await query(first.connection, 'create table kept (v int); insert into kept values (7)');
  isWholeAndClosed(folder, first);
  const guess = { ...first.connection, password: 'guessed' };
  await assert.rejects(query(guess, 'select 1'), /password authentication failed/);
  await first.stop();
  await first.stop();
  assert.equal(lives(first.pid), false, 'the server has gone');

  const second = await start(t, folder);
  assert.equal(second.adopted, false);
  assert.deepEqual(await query(second.connection, 'select v from kept'), [{ v: 7 }]);
});

test('what the database says is logged as it matters: a write that lost a race and is repeated is no warning', async (t) => {
  const told: { level: string; line: string }[] = [];
  const tell = (level: string) => (line: string) => void told.push({ level, line });
  const log = { debug: tell('debug'), info: tell('info'), warn: tell('warn'), error: tell('error') };
  const { connection } = await start(t, path.join(scratch(t), 'data'), { log });
  await query(connection, 'create table raced (v int); insert into raced values (0)');
  const sessions = [new pg.Client(connection), new pg.Client(connection)] as const;
  for (const session of sessions) {
    await session.connect();
    await session.query('begin isolation level repeatable read; select v from raced');
  }
  await sessions[0].query('update raced set v = 1; commit');
  await assert.rejects(sessions[1].query('update raced set v = 2'), /could not serialize access/);
  await assert.rejects(sessions[1].query('select 1'), /transaction is aborted/);
  for (const session of sessions) await session.end();
  await until('both are told', () => told.some(({ line }) => line.includes('transaction is aborted')));
  const levels = told.filter(({ line }) => line.startsWith('ERROR:')).map(({ level }) => level);
  assert.deepEqual(levels, ['debug', 'warn']);
});

test('a half-made database is made again', async (t) => {
  const folder = path.join(scratch(t), 'data');
  const root = path.join(folder, 'postgres');
  fs.mkdirSync(path.join(root, 'pg'), { recursive: true });
  fs.writeFileSync(path.join(root, 'pg', 'PG_VERSION'), '18\n');
  fs.writeFileSync(path.join(root, 'initialising'), '');
  fs.writeFileSync(path.join(root, 'password'), '');
  fs.mkdirSync(path.join(root, 'pg.0a1b2c3d'));
  const { connection } = await start(t, folder);
  assert.deepEqual(await query(connection, 'select 1 as one'), [{ one: 1 }]);
  assert.deepEqual(fs.readdirSync(root).sort(), ['password', 'pg', 'run', 'superuser-password']);
});

test('data that is not ours to start is refused with the way out, and left alone', async (t) => {
  const folder = scratch(t);
  const data = path.join(folder, 'postgres', 'pg');
  fs.mkdirSync(data, { recursive: true });
  const options = { folder, folderIsNamed: true, log: memoryLog() };

  fs.writeFileSync(path.join(data, 'precious'), 'do not touch');
  await assert.rejects(
    startEmbeddedPostgres(options),
    isStartError(/no PostgreSQL database and is not empty: move it/),
  );

  fs.writeFileSync(path.join(data, 'PG_VERSION'), '17\n');
  await assert.rejects(
    startEmbeddedPostgres(options),
    isStartError(/is of PostgreSQL 17, this program carries 18: .*ALDIS_DATABASE_URL/),
  );
  assert.equal(fs.readFileSync(path.join(data, 'precious'), 'utf8'), 'do not touch');
});

test('a folder that cannot be made is named', async (t) => {
  const file = path.join(scratch(t), 'file');
  fs.writeFileSync(file, '');
  const options = { folder: path.join(file, 'data'), folderIsNamed: true, log: memoryLog() };
  await assert.rejects(
    startEmbeddedPostgres(options),
    isStartError(new RegExp(`^The data folder ${file}/data cannot`)),
  );
});

test('a long path does', async (t) => {
  const folder = path.join(scratch(t), 'long-'.repeat(20), 'long-'.repeat(20));
  const { connection, stop } = await start(t, folder);
  const shorts = ['lock', 'postgres/run'].map((name) => shortFolder(path.join(folder, name)));
  afterwards(t, () => {
    for (const short of shorts) fs.rmSync(short, { recursive: true, force: true });
  });
  assert.equal(connection.host, shorts[1]);
  assert.deepEqual(await query(connection, 'select 1 as one'), [{ one: 1 }]);
  await stop();
});

test('of two processes that start on one fresh folder, exactly one gets it', async (t) => {
  const folder = path.join(scratch(t), 'data');
  const options = { folder, folderIsNamed: true };
  const owners = await Promise.all([startOwner(t, { options }), startOwner(t, { options })]);
  const [winner, ...others] = owners.filter(({ report }) => !('error' in report));
  const [loser] = owners.filter((each) => each !== winner);
  assert.ok(winner && loser && others.length === 0);
  assert.match(mendable(loser), new RegExp(`^The data folder ${folder} is in use by process ${winner.process.pid}: `));
  assert.deepEqual(await query(running(winner).connection, 'select 1 as one'), [{ one: 1 }]);
  await stopOwner(winner);
  assert.equal(lives(running(winner).pid), false, 'the server has gone');
  assert.equal(winner.process.exitCode, 0);
});

test('a folder as mktemp -d makes it does, and settings of the caller replace ours', async (t) => {
  const folder = path.join(scratch(t), 'data');
  fs.mkdirSync(folder, { mode: 0o700 });
  const { connection } = await start(t, folder, { settings: { work_mem: '7MB', jit: 'on' } });
  assert.equal(fs.statSync(folder).mode & 0o777, isRoot ? 0o711 : 0o700);
  const [settings] = await query(
    connection,
    `select current_setting('work_mem') as work_mem, current_setting('jit') as jit, current_setting('fsync') as fsync`,
  );
  assert.deepEqual(settings, { work_mem: '7MB', jit: 'on', fsync: 'on' });
});

function isWholeAndClosed(folder: string, { folder: root, connection }: EmbeddedPostgres): void {
  assert.equal(root, path.join(folder, 'postgres'));
  for (const name of ['password', 'superuser-password']) {
    const { mode, size } = fs.statSync(path.join(root, name));
    assert.equal(mode & 0o777, 0o600);
    assert.equal(size, 33, 'as many characters as 24 random bytes take, and a line end');
  }
  assert.equal(fs.readFileSync(path.join(root, 'password'), 'utf8'), `${connection.password}\n`);
  assert.equal(fs.statSync(path.join(root, 'pg')).mode & 0o777, 0o700);
  assert.equal(fs.statSync(path.join(root, 'run')).mode & 0o777, 0o700);
  assert.deepEqual(fs.readdirSync(root).sort(), ['password', 'pg', 'run', 'superuser-password']);
}

function isStartError(message: RegExp) {
  return (error: unknown): true => {
    assert.ok(error instanceof StartError, String(error));
    assert.match(error.message, message);
    assert.ok(!error.message.includes('\n'));
    return true;
  };
}
