import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import pg from 'pg';
import { startEmbeddedPostgres } from '../../src/db/embedded/embedded.ts';
import { makeTemplate } from '../../src/db/embedded/template.ts';
import { chooseWho } from '../../src/db/embedded/who.ts';
import { StartError } from '../../src/runtime/start-error.ts';
import {
  isRoot,
  memoryLog,
  mendable,
  nativeWithoutLinks,
  query,
  running,
  SOMEBODY,
  scratch,
  start,
  startOwner,
  stopOwner,
  UNKNOWN,
} from './embedded-rig.ts';

// Who runs the server, and what they can reach. Each test has a part for root and one for others: run as both.

test('under a parent that only its owner may pass', async (t) => {
  const base = scratch(t);
  const system = path.join(base, 'system');
  const closed = path.join(base, 'closed');
  const folder = path.join(closed, 'project', '.aldis');
  fs.mkdirSync(path.dirname(folder), { recursive: true });
  fs.chmodSync(closed, 0o700);
  const native = nativeWithoutLinks(path.join(closed, 'package'));
  const log = memoryLog();
  const options = { native, system, log, folderIsNamed: false };

  const { connection, stop, folder: root } = await start(t, folder, options);
  await query(connection, 'create table kept (v int); insert into kept values (7)');
  if (!isRoot) {
    assert.equal(root, path.join(folder, 'postgres'));
    assert.equal(fs.existsSync(system), false);
    return;
  }
  assert.match(root, new RegExp(`^${system}/project-[0-9a-f]{12}$`));
  assert.equal(fs.readlinkSync(path.join(folder, 'postgres')), root);
  assert.ok(log.lines.some((line) => line.endsWith(`cannot pass ${closed}: the database is kept in ${root}`)));
  const copy = fs.readdirSync(system).find((name) => name.startsWith('pg-18.')) ?? assert.fail('no copy');
  assert.ok(log.lines.some((line) => line.endsWith(`they were copied to ${system}/${copy}`)));

  // A copy of the data folder carries the link: the database is one all the same.
  fs.cpSync(path.join(folder, 'postgres'), path.join(closed, 'copy', 'postgres'), { recursive: true });
  const again = { ...options, folder: path.join(closed, 'copy') };
  await assert.rejects(startEmbeddedPostgres(again), new RegExp(`data folder ${root} is in use`));

  await stop();
  const second = await start(t, folder, options);
  assert.deepEqual(await query(second.connection, 'select v from kept'), [{ v: 7 }]);
  await second.stop();
  fs.rmSync(root, { recursive: true });
  await assert.rejects(start(t, folder, options), /leads to the database in .*, which is gone: bring that folder back/);
});

test('a named folder that cannot be reached is an error that says what to open', async (t) => {
  const closed = path.join(scratch(t), 'closed');
  fs.mkdirSync(closed, { mode: 0o700 });
  const options = { folder: path.join(closed, 'data'), folderIsNamed: true, log: memoryLog() };
  if (isRoot) {
    await assert.rejects(startEmbeddedPostgres(options), (error) => {
      assert.ok(error instanceof StartError);
      assert.match(error.message, new RegExp(`started as root: open its parent ${closed} \\(chmod o\\+x ${closed}\\)`));
      return true;
    });
    return;
  }
  fs.chmodSync(closed, 0o500);
  await assert.rejects(startEmbeddedPostgres(options), (error) => {
    assert.ok(error instanceof StartError);
    assert.match(error.message, new RegExp(`^The data folder ${options.folder} cannot be written .*ALDIS_DATA_DIR`));
    return true;
  });
  fs.chmodSync(closed, 0o700);
});

test('another user than root, with programs that cannot be written to', async (t) => {
  const base = scratch(t);
  const folder = path.join(base, 'data');
  const native = nativeWithoutLinks(path.join(base, 'package'));
  fs.chmodSync(path.join(native, 'lib'), 0o555);
  fs.mkdirSync(folder);
  if (isRoot) fs.chownSync(folder, SOMEBODY.uid, SOMEBODY.gid);
  const options = { folder, folderIsNamed: true, native };

  const owner = await startOwner(t, { options, ...(isRoot && { as: SOMEBODY }) });
  const { connection, pid, folder: root } = running(owner);
  await query(connection, 'create table kept (v int); insert into kept values (7)');
  assert.equal(fs.readlinkSync(path.join(root, 'lib', 'libpq.so.5')), path.join(native, 'lib', 'libpq.so.5.18'));
  if (process.platform === 'linux') {
    assert.equal(fs.statSync(`/proc/${pid}`).uid, isRoot ? SOMEBODY.uid : process.getuid?.());
  }
  await stopOwner(owner);
  fs.chmodSync(path.join(native, 'lib'), 0o755);

  // Root runs it as the user whose data it is; its own locks then keep others out.
  const after = await start(t, folder);
  assert.deepEqual(await query(after.connection, 'select v from kept'), [{ v: 7 }]);
  if (isRoot && process.platform === 'linux') assert.equal(fs.statSync(`/proc/${after.pid}`).uid, SOMEBODY.uid);
});

test('a database of somebody else is refused', async (t) => {
  if (!isRoot) {
    assert.throws(() => chooseWho('/'), /^StartError: The database in \/ belongs to root: start Aldis as that user/);
    return;
  }
  const folder = path.join(scratch(t), 'data');
  const { stop, folder: root } = await start(t, folder);
  await stop();
  const data = path.join(root, 'pg');
  const { uid, gid } = fs.statSync(data);
  fs.chownSync(data, 0, 0);
  await assert.rejects(start(t, folder), /belongs to root, .* give it to its user \(chown -R/);
  fs.chownSync(data, uid, gid);
  const stranger = await startOwner(t, { options: { folder, folderIsNamed: true }, as: SOMEBODY });
  assert.match(mendable(stranger), new RegExp(`^The data folder ${folder} cannot be written .* open it for this user`));
  for (const place of [folder, path.join(folder, 'lock')]) fs.chownSync(place, SOMEBODY.uid, SOMEBODY.gid);
  const other = await startOwner(t, { options: { folder, folderIsNamed: true }, as: SOMEBODY });
  assert.match(mendable(other), /^The database in .*\/postgres\/pg belongs to \w+: start Aldis as that user/);
});

test('a user without an entry in /etc/passwd begins with a template', async (t) => {
  const base = scratch(t);
  const system = path.join(base, 'system');
  const native = nativeWithoutLinks(path.join(base, 'package'));
  const log = memoryLog();
  const template = await makeTemplate({ log, native, system });
  assert.equal(await makeTemplate({ log, native, system }), template, 'made once');
  assert.deepEqual(fs.readdirSync(system), [path.basename(template)]);
  const folder = path.join(base, 'data');
  fs.mkdirSync(folder);
  if (!isRoot) {
    // Who has an entry has no need of it.
    const { connection } = await start(t, folder, { native, system });
    assert.deepEqual(await query(connection, 'select 1 as one'), [{ one: 1 }]);
    return;
  }
  fs.chownSync(folder, UNKNOWN.uid, UNKNOWN.gid);
  const options = { folder, folderIsNamed: true, native };
  const without = await startOwner(t, { options: { ...options, system: base }, as: UNKNOWN });
  assert.match(mendable(without), /^user 54321 has no entry in \/etc\/passwd.*ALDIS_DATABASE_URL\.$/);

  const owner = await startOwner(t, { options: { ...options, system }, as: UNKNOWN });
  const { connection, pid } = running(owner);
  assert.deepEqual(await query(connection, 'select 1 as one'), [{ one: 1 }]);
  assert.equal(fs.statSync(`/proc/${pid}`).uid, UNKNOWN.uid);
  const known = fs.readFileSync(path.join(template, 'superuser-password'), 'utf8').trim();
  const superuser = { ...connection, user: 'postgres', database: 'postgres', password: known };
  await assert.rejects(
    query(superuser, 'select 1'),
    (error) => error instanceof pg.DatabaseError && error.code === '28P01',
  );
});
