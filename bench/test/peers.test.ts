import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { start } from '../src/child.ts';
import { undiciContestant } from '../src/peers.ts';
import { plotGrowth, plotMillion } from '../src/plots.ts';
import { startProvider } from '../src/provider.ts';
import { startSimulator } from '../src/simulator.ts';

test('the bare provider counts and answers sends, and passes on what is none', { timeout: 60_000 }, async () => {
  await using simulator = await startSimulator();
  await using provider = await startProvider(simulator);
  await using undici = await undiciContestant(provider);
  const counted = provider.secondsBetween(10, 200);
  const took = await undici.run(300);
  assert.equal(await provider.sends(), 300);
  const between = await counted;
  assert.ok(between > 0 && between < took, `${between} s of ${took} s`);
  assert.equal(await simulator.accepted(), 0);
  const passedOn = await fetch(`${provider.url}/_simulator/numbers`);
  assert.equal(passedOn.status, 200);
  assert.deepEqual(await passedOn.json(), await simulator.control('GET', 'numbers'));
});

test('a provider that refuses ends the run of who is measured', { timeout: 60_000 }, async () => {
  const refusing = createServer((asked, answer) => {
    asked.resume();
    answer.writeHead(400, { 'content-type': 'application/json' }).end('{"error":{"code":100}}');
  }).listen(0, '127.0.0.1');
  await once(refusing, 'listening');
  const address = refusing.address();
  assert.ok(address !== null && typeof address === 'object');
  await using undici = await start('bench/peers/undici.ts', ['--provider', `http://127.0.0.1:${address.port}`], {
    ready: /^undici ready (http:\/\/\S+)$/m,
  });
  const answer = await fetch(`${undici.url}/run?n=1`, { method: 'POST' });
  assert.equal(answer.status, 500);
  assert.match(undici.errors(), /the provider answered 400/);
  refusing.closeAllConnections();
  refusing.close();
});

test('plots name what they show', () => {
  const run = (value: number) => ({ value });
  const points = [1e6, 1e7].map((stored) => ({ stored, full: [run(4000)], empty: [run(4200)], ratio: 0.95 }));
  const grown = plotGrowth(points, 1_000_000);
  assert.match(grown, /^<svg/);
  assert.match(grown, /1,000,000 messages waiting/);
  assert.match(grown, /on an empty one, in turns/);
  const sample = { seconds: 1, read: 1000, server: 160, database: 120 };
  assert.match(plotMillion([sample, { ...sample, seconds: 2, read: 2000 }]), /thousands of messages read/);
});
