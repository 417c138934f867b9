import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { checkInstances } from '../../src/cli/doctor/instance-checks.ts';
import { newId } from '../../src/domain/ids.ts';
import { loadConfig } from '../../src/runtime/config.ts';
import { testDatabase } from '../database.ts';

test('several instances that keep files each for itself are told of', async (t) => {
  const { db, drop } = await testDatabase();
  t.after(drop);
  const config = (env: Record<string, string>) => loadConfig({ argv: [], env, cwd: tmpdir() }).config;
  const look = async (env: Record<string, string> = {}) =>
    (await checkInstances(db, config(env))).map(({ status, message }) => `${status} ${message}`);
  const start = (left: string) =>
    db.script(`insert into instances (id, expires_at, description)
      values ('${newId()}', clock_timestamp() + interval '${left}', 'here 1')`);
  await start('1 hour');
  await start('-1 s');
  assert.deepEqual(await look(), [], 'one alone, and one that has died');
  await start('1 hour');
  const [alone = '', ...more] = await look();
  assert.match(alone, /^warn 2 are at work, and this one keeps files in its own data folder/);
  assert.deepEqual(more, []);
  assert.deepEqual(await look({ ALDIS_MEDIA_FOLDER: '/shared' }), ['ok 2 are at work']);
  assert.deepEqual(await look({ ALDIS_MEDIA_S3_BUCKET: 'files', ALDIS_MEDIA_S3_REGION: 'eu-central-1' }), [
    'ok 2 are at work',
  ]);
});
