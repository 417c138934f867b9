import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId } from '../../src/domain/ids.ts';
import { until } from '../until.ts';
import { logOf, webhookWorld } from './webhook-world.ts';

/* Signals alone wake who follows the log: nobody looks by himself within these tests. */
const pollInterval = 600_000;

test('an event is posted because a signal told of it, stored once with its end, in order of one line too', async (t) => {
  const world = await webhookWorld(t);
  const [tenant, sink] = [await world.tenant(), await world.sink()];
  await tenant.accept();
  await world.start({ pollInterval });
  const at = (path: string) => sink.url.replace('/hook', path);
  const { id } = await world.endpoint(tenant, at('/any'));
  await world.endpoint(tenant, at('/ordered'), { ordered: true });
  const address = '+62811000021';
  const messages: string[] = [];
  for (let n = 1; n <= 3; n++) {
    messages.push(await tenant.accept({ address }));
    await until('both are told', () => sink.taken.length === 2 * n);
  }
  for (const path of ['/any', '/ordered']) {
    const told = sink.posted.filter((posted) => posted.path === path).map(({ data }) => data['id']);
    assert.deepEqual(told, messages);
  }
  await until('all are stored', async () => (await world.listed(tenant, id)).length === messages.length);
  const listed = await world.listed(tenant, id);
  assert.deepEqual(
    listed.map(({ tries, status, detail, due_at }) => ({ tries, status, detail, due_at })),
    messages.map(() => ({ tries: 1, status: 204, detail: null, due_at: null })),
  );
  assert.ok(listed.every(({ tried_at, took_ms }) => tried_at !== null && took_ms !== null));
});

test('in a line each goes as soon as the one before it is settled, and not when somebody looks by himself', async (t) => {
  const world = await webhookWorld(t);
  const [tenant, sink] = [await world.tenant(), await world.sink()];
  await world.endpoint(tenant, sink.url, { ordered: true });
  const messages: string[] = [];
  for (let n = 0; n < 5; n++) messages.push(await tenant.accept({ address: '+62811000022' }));
  await world.start({ pollInterval });
  await until('all are told', () => sink.taken.length === messages.length);
  assert.deepEqual(
    sink.posted.map(({ data }) => data['id']),
    messages,
  );
});

test('an event that a transaction before it holds back is posted when that ends, without another signal', async (t) => {
  const world = await webhookWorld(t);
  const [tenant, sink] = [await world.tenant(), await world.sink()];
  await world.endpoint(tenant, sink.url);
  await world.start({ pollInterval });
  const held = Promise.withResolvers<void>();
  const end = Promise.withResolvers<void>();
  const open = world.db.transaction(async (tx) => {
    await tx.script('create table held_back ()');
    held.resolve();
    await end.promise;
  });
  await held.promise;
  await tenant.accept();
  await until('it is looked for', async () => {
    const [row] = await world.db.query<{ n: number }>({
      name: 'test_looks',
      text: `select count(*)::int as n from pg_stat_activity where query like '%event_consumers c on c.tenant_id = t.id%'`,
    });
    return (row?.n ?? 0) > 0;
  });
  assert.deepEqual(sink.posted, []);
  end.resolve();
  await open;
  await until('it is told', () => sink.taken.length === 1);
});

test('of many events each is posted and stored once, while some endpoints hang, fail and are slow', async (t) => {
  const world = await webhookWorld(t);
  const [tenant, sink] = [await world.tenant(), await world.sink()];
  const at = (path: string) => sink.url.replace('/hook', path);
  const hanging: (() => void)[] = [];
  sink.answer = ({ path }, response) => {
    if (path === '/fails') return 500;
    if (path === '/hangs') hanging.push(() => response.destroy());
    return path === '/hangs' ? null : 200;
  };
  const well = await world.endpoint(tenant, at('/well'));
  const fails = await world.endpoint(tenant, at('/fails'));
  await world.endpoint(tenant, at('/hangs'));
  await world.start({ timeout: 20_000, hold: 40_000 });
  const EVENTS = 700;
  await world.db.query(
    {
      name: 'test_many_events',
      text: `insert into events (tenant_id, id, type, data)
        select $1, ($2::text || lpad(to_hex(g), 12, '0'))::uuid, 'webhook.disabled', '{}' from generate_series(1, $3::int) g`,
    },
    [tenant.tenant, newId().slice(0, 24), EVENTS],
  );
  const told = () => sink.posted.filter(({ path }) => path === '/well').map(({ id }) => id);
  await until('one that is well is told all', () => told().length >= EVENTS);
  assert.ok(hanging.length <= 20, `${hanging.length} calls hang`);
  sink.answer = () => 200;
  for (const end of hanging) end();
  const log = await logOf(world, tenant.tenant);
  assert.deepEqual(told().toSorted(), log.map(({ id }) => id).toSorted());
  await until('all of it is stored', async () => {
    const listed = await world.listed(tenant, well.id);
    return listed.length === EVENTS && listed.every(({ state, tries }) => state === 'delivered' && tries === 1);
  });
  await world.allMade(tenant);
  assert.equal((await world.listed(tenant, fails.id)).length, EVENTS);
});
