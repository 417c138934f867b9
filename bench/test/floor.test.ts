import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFloor } from '../src/floor.ts';
import { temporaryFolder } from '../src/folder.ts';
import { pour } from '../src/load.ts';
import { sendOne } from '../src/requests.ts';
import { startSimulator, wholeLedger } from '../src/simulator.ts';
import { until } from '../src/wait.ts';

test('the floor brings every message to the provider once, and to read', { timeout: 60_000 }, async () => {
  using folder = temporaryFolder('aldis-floor-test');
  await using simulator = await startSimulator();
  await using floor = await startFloor(folder.path, simulator, 16);
  const n = 200;
  await pour(n, 16, (i) => sendOne(floor, i));
  await until('every message to be read', async () => (await floor.progress()).read >= n || null);
  const ledger = await wholeLedger(simulator);
  assert.equal(ledger.length, n);
  assert.equal(new Set(ledger.map(({ opaque }) => opaque)).size, n);
  assert.equal(new Set(ledger.map(({ phone_number_id }) => phone_number_id)).size, 20);
});
