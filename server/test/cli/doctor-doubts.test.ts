import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { checkDoubts } from '../../src/cli/doctor/doubt-checks.ts';
import { loadConfig } from '../../src/runtime/config.ts';
import { engineWorld } from '../engine-world.ts';

test('the doctor tells of messages that have been unconfirmed for long', async (t) => {
  const world = await engineWorld();
  t.after(() => world.close());
  const { config } = loadConfig({ argv: [], env: {}, cwd: tmpdir() });
  const own = await world.tenant();
  const send = await own.sending();
  await own.settle(send, { kind: 'unknown', detail: 'cut' });
  assert.equal((await checkDoubts(world.db, config)).status, 'ok');
  await world.db.script(`update due set started_at = now() - interval '11 minutes'`);
  const found = await checkDoubts(world.db, config);
  assert.equal(found.status, 'warn');
  assert.match(found.message, /^1 message has been unconfirmed for more than 600 s/);
});
