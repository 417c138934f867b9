import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createRedrives, REDRIVES } from '../../src/actions/redrives.ts';
import { newId } from '../../src/domain/ids.ts';
import { NO_CAPS } from '../../src/domain/limits.ts';
import { createRedriveJob } from '../../src/jobs/redrives.ts';
import { findRedrive } from '../../src/store/redrives.read.ts';
import { type EngineWorld, engineWorld } from '../engine-world.ts';
import { assertSound } from '../soundness.ts';
import { until } from '../until.ts';

let world: EngineWorld;

before(async () => {
  world = await engineWorld();
});
after(() => world.close());

function job() {
  const logger = { info() {}, warn: (_about: unknown, text?: string) => assert.fail(text) };
  return createRedriveJob({ ...world, logger, usual: NO_CAPS, validity: null, pollInterval: 20 });
}

test('the job makes the messages due at the pace asked for, and the next instance goes on where one ended', async () => {
  const own = await world.tenant();
  const sends = await Promise.all(Array.from({ length: 30 }, () => own.accept())).then(() => own.begin());
  const refusal = { kind: 'error', code: 131026, title: 'no', detail: null, retryAfter: null } as const;
  await Promise.all(sends.map((send) => own.settle(send, refusal)));
  const asked = { filter: {}, per_second: 40, include_uncertain: false, key_id: newId() };
  const made = await createRedrives(world).create(own.tenant, asked);
  assert.ok(made !== 'busy');
  const queued = async () => (await findRedrive(world.db, own.tenant, made.id))?.queued ?? 0;
  const began = performance.now();
  const first = job();
  await first.start();
  await until('some are due', async () => (await queued()) >= 10);
  await first.stop();
  const second = job();
  await second.start();
  world.signals.notify(REDRIVES);
  await until('it is done', async () => (await findRedrive(world.db, own.tenant, made.id))?.state === 'done');
  // 30 in steps of 10: two waits of a quarter of a second lie between.
  assert.ok(performance.now() - began >= 490, `${performance.now() - began} ms`);
  await second.stop();
  assert.equal(await queued(), 30);
  assert.equal((await own.begin()).length, 30);
  await assertSound(world.db);
});
