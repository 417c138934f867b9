import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createIdleCollection, loopBusiness, requestCount } from '../../src/runtime/idle-collection.ts';
import { until } from '../until.ts';

const LARGE = 32 * 2 ** 20;
const SMALL = 2 ** 20;

test('what a burst left is collected once it is over, once, and again only after the next', async () => {
  let busy = 1;
  let asked = 10;
  let nursery = LARGE;
  let looks = 0;
  let collected = 0;
  const part = createIdleCollection({
    collect() {
      collected++;
      nursery = SMALL;
    },
    busy() {
      looks++;
      return busy;
    },
    asked: () => asked,
    nursery: () => nursery,
    every: 1,
    failed: assert.fail,
  });
  await part.start();
  const more = async (wanted: number) => {
    const before = looks;
    await until('it has looked', () => looks >= before + wanted);
  };
  await more(10);
  assert.equal(collected, 0, 'not while there is work');
  busy = 0.1;
  await more(10);
  assert.equal(collected, 0, 'nor while requests come');
  asked = 1;
  await until('it is collected', () => collected === 1);
  await more(10);
  assert.equal(collected, 1, 'nothing is left to collect');
  nursery = LARGE;
  await until('it is collected again', () => collected === 2);
  await part.stop();
  nursery = LARGE;
  const before = looks;
  await part.stop();
  assert.deepEqual([collected, looks], [2, before]);
});

test('a runtime that gives no collector is left alone', async () => {
  let looks = 0;
  const part = createIdleCollection({
    collect: null,
    busy: () => ++looks,
    asked: () => 0,
    every: 1,
    failed: assert.fail,
  });
  await part.start();
  await part.stop();
  assert.equal(looks, 0);
});

test('how busy the loop was is told since it was last asked', async () => {
  const busy = loopBusiness();
  const end = performance.now() + 50;
  while (performance.now() < end);
  await new Promise((resolve) => setImmediate(resolve));
  const worked = busy();
  assert.ok(worked >= 0 && worked <= 1, String(worked));
});

test('requests are counted since this was last asked', async (t) => {
  const asked = requestCount();
  const server = createServer((_, answer) => answer.end()).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  for (let i = 0; i < 3; i++) await (await fetch(`http://127.0.0.1:${port}`)).text();
  assert.deepEqual([asked(), asked()], [3, 0]);
});
