import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import pg from 'pg';
import {
  afterwards,
  ended,
  isRoot,
  killGuard,
  launchOwner,
  lives,
  memoryLog,
  mendable,
  query,
  running,
  scratch,
  start,
  startOwner,
  until,
} from './embedded-rig.ts';

// What is left when programs die, and numbers that lead astray.

test('a server that ends by itself is started again, and that is said', async (t) => {
  const log = memoryLog();
  const database = await start(t, path.join(scratch(t), 'data'), { log });
  await query(database.connection, 'create table kept (v int); insert into kept values (7)');
  const before = database.pid;
  process.kill(before, 'SIGKILL');
  await until('it runs again', () => database.pid !== before);
  assert.deepEqual(await query(database.connection, 'select v from kept'), [{ v: 7 }]);
  assert.ok(log.lines.includes('PostgreSQL ended by itself (exit 137) and is started again'));
  assert.ok(log.lines.includes(`PostgreSQL runs again, as process ${database.pid}`));

  // But not beside a process of the server that died, which might still write.
  const client = new pg.Client(database.connection);
  client.on('error', () => {});
  await client.connect();
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const backend = rows[0]?.pid ?? assert.fail('no backend');
  const second = database.pid;
  process.kill(backend, 'SIGSTOP');
  process.kill(second, 'SIGKILL');
  await until('the remains are noticed', () =>
    log.lines.some((line) => line.startsWith('Processes of the PostgreSQL')),
  );
  assert.equal(database.pid, second);
  process.kill(backend, 'SIGCONT');
  await until('it runs once more', () => database.pid !== second);
  assert.deepEqual(await query(database.connection, 'select 1 as one'), [{ one: 1 }]);
  await client.end();
});

test('a server whose folder was removed under it is not started in what lies there now', async (t) => {
  const log = memoryLog();
  const folder = path.join(scratch(t), 'data');
  const { pid, stop, folder: root } = await start(t, folder, { log });
  fs.renameSync(folder, `${folder}.away`);
  fs.cpSync(`${folder}.away`, folder, {
    recursive: true,
    filter: (file) => !file.endsWith('.sock') && !/PGSQL/.test(file),
  });
  process.kill(pid, 'SIGKILL');
  const said = `PostgreSQL has ended (exit 137): its folder ${root}/pg was removed under it`;
  await until('it is said', () => log.lines.includes(said));
  await stop();
});

test('a killed owner takes the server with it, and the next one finds what was committed', async (t) => {
  const options = { folder: path.join(scratch(t), 'data'), folderIsNamed: true };
  const first = await startOwner(t, { options });
  const { connection, pid } = running(first);
  await query(connection, 'create table kept (v int); insert into kept values (7)');
  first.process.kill('SIGKILL');
  await ended(first.process);
  // At once: the server may be running yet, shutting down, or gone.
  const second = await startOwner(t, { options });
  assert.deepEqual(await query(running(second).connection, 'select v from kept'), [{ v: 7 }]);
  await until('the first server has gone', () => !lives(pid));
  second.process.kill('SIGKILL');
  await until('the second server has gone', () => !lives(running(second).pid));
});

test('an owner killed in its first start leaves nothing that hinders the next', async (t) => {
  const options = { folder: path.join(scratch(t), 'data'), folderIsNamed: true };
  const marker = path.join(options.folder, 'postgres', 'initialising');
  for (const moment of [() => fs.existsSync(marker), () => hasDraft(options.folder)]) {
    const owner = launchOwner(t, { options });
    await until('it has begun', moment);
    owner.process.kill('SIGKILL');
    await assert.rejects(owner.report, /the owner ended without a report/);
  }
  const next = await startOwner(t, { options });
  assert.deepEqual(await query(running(next).connection, 'select 1 as one'), [{ one: 1 }]);
});

test('a server left without owner and guard is taken over, and guarded again', async (t) => {
  const options = { folder: path.join(scratch(t), 'data'), folderIsNamed: true };
  const first = await startOwner(t, { options });
  const { pid } = running(first);
  first.process.kill('SIGSTOP');
  killGuard(pid);
  first.process.kill('SIGKILL');
  await ended(first.process);
  assert.ok(lives(pid));

  const second = await startOwner(t, { options });
  assert.equal(running(second).adopted, true);
  assert.equal(running(second).pid, pid);
  const third = await startOwner(t, { options });
  assert.match(mendable(third), /is in use by process/);
  second.process.kill('SIGKILL');
  await until('it has gone with its new owner', () => !lives(pid));
});

test('an orphan that runs with other settings is started anew', async (t) => {
  const options = { folder: path.join(scratch(t), 'data'), folderIsNamed: true };
  const first = await startOwner(t, { options });
  first.process.kill('SIGSTOP');
  killGuard(running(first).pid);
  first.process.kill('SIGKILL');
  await ended(first.process);
  const second = await start(t, options.folder, { settings: { work_mem: '7MB' } });
  assert.equal(second.adopted, false);
  assert.deepEqual(await query(second.connection, 'show work_mem'), [{ work_mem: '7MB' }]);
  assert.equal(lives(running(first).pid), false);
});

test('the number in a lock file may be anybody’s: another program’s, a zombie’s', async (t) => {
  const folder = path.join(scratch(t), 'data');
  const { stop, folder: root } = await start(t, folder);
  await stop();
  const { uid, gid } = fs.statSync(path.join(root, 'pg'));
  for (const pid of [await otherProgram(t, uid, gid), await zombie(t, uid, gid)]) {
    // As a server leaves it that is killed: number, folder, start, port, socket's folder, address, shared memory.
    const lock = [
      pid,
      path.join(root, 'pg'),
      1,
      5432,
      path.join(root, 'run'),
      '',
      '  1234567         0',
      'ready   ',
      '',
    ];
    for (const file of ['pg/postmaster.pid', 'run/.s.PGSQL.5432.lock']) {
      fs.writeFileSync(path.join(root, file), lock.join('\n'), { mode: 0o600 });
      fs.chownSync(path.join(root, file), uid, gid);
    }
    const { connection, stop, adopted } = await start(t, folder);
    assert.equal(adopted, false);
    assert.deepEqual(await query(connection, 'select 1 as one'), [{ one: 1 }]);
    await stop();
  }
});

/** Whether `initdb` is at work. */
function hasDraft(folder: string): boolean {
  const root = path.join(folder, 'postgres');
  return fs.existsSync(root) && fs.readdirSync(root).some((name) => name.startsWith('pg.'));
}

/** A process that has nothing to do with databases, of the server's user. */
async function otherProgram(t: TestContext, uid: number, gid: number): Promise<number> {
  const child = spawn('sleep', ['60'], { stdio: 'ignore', ...(isRoot && { uid, gid }) });
  afterwards(t, async () => {
    child.kill('SIGKILL');
    await ended(child);
  });
  await once(child, 'spawn');
  return child.pid ?? assert.fail('it has no number');
}

/** A process of the server's user that has ended and whose parent does not want to know. */
async function zombie(t: TestContext, uid: number, gid: number): Promise<number> {
  const script = 'sleep 0.01 & echo $!; exec sleep 60';
  const parent = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'], ...(isRoot && { uid, gid }) });
  afterwards(t, async () => {
    parent.kill('SIGKILL');
    await ended(parent);
  });
  const [line]: unknown[] = await once(parent.stdout, 'data');
  const pid = Number(String(line));
  await until('it is a zombie', () => !lives(pid));
  assert.doesNotThrow(() => process.kill(pid, 0), 'its number is still taken');
  return pid;
}
