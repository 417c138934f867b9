import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openPauses } from '../../src/actions/pauses.ts';
import { type OperatorWorld, operatorWorld } from '../http/operator.ts';
import { runAldis } from './run-aldis.ts';

let stage: OperatorWorld;
let folder: string;
before(async () => {
  stage = await operatorWorld();
  const { world, own } = stage;
  folder = await mkdtemp(join(tmpdir(), 'aldis-pauses-'));
  const operator_key = await world.keyFor(own.tenant, ['admin']);
  const credentials = { url: world.url, api_key: operator_key, operator_key };
  await writeFile(join(folder, 'credentials.json'), JSON.stringify(credentials));
});
after(async () => {
  await stage.world.close();
  await rm(folder, { recursive: true });
});
const aldis = (...args: string[]) => runAldis(args, { ALDIS_DATA_DIR: folder }).ended;

test('what stands still is listed with what to do, and is let go', async () => {
  const { world, own } = stage;
  const nothing = await aldis('pause', 'list');
  assert.deepEqual([nothing.code, nothing.stdout], [0, 'Nothing stands still.\n']);
  const told = { code: 131042, title: 'Business eligibility payment issue', detail: null, country: null };
  const { tenant, sender } = own;
  await openPauses(world.db, world.signals, [{ tenant, sender, scope: 'account', cause: 'payment_trouble', ...told }]);
  const [listed, asJson] = await Promise.all([aldis('pause', 'list'), aldis('pause', 'list', '--json')]);
  assert.match(
    listed.stdout,
    /account default 1 {2}payment_trouble {2}since \S+ {2}tried again at \S+\n {4}Business eligibility payment issue \(error 131042\)\n {4}→ Add or mend the payment method/,
  );
  const [{ id }] = JSON.parse(asJson.stdout) as [{ id: string }];
  const ended = await aldis('pause', 'end', id);
  assert.deepEqual([ended.code, ended.stdout], [0, `${id} is ended: what waited for it goes on\n`], ended.stderr);
  const again = await aldis('pause', 'end', id);
  assert.equal(again.code, 4);
  assert.match(again.stderr, /There is no pause of that id/);
});
