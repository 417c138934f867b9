import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTickets } from '../../src/actions/tickets.ts';
import { until } from '../until.ts';
import { direct, type SocketWorld, socketWorld, type TestInstance } from './socket-world.ts';

let world: SocketWorld;
let one: TestInstance;
before(async () => {
  world = await socketWorld();
  one = await world.instance({ 'server.cors_origins': ['https://shop.example'] });
});
after(() => world.close());

async function people(scopes?: Parameters<SocketWorld['key']>[1]) {
  const { tenant } = await world.tenant();
  const { id, key } = await world.key(tenant, scopes);
  return { tenant, key, id };
}

test('who may not open a socket is told so over HTTP, before it is opened', async () => {
  const { key } = await people();
  const weak = await people(['conversations:read']);
  const blind = await people(['messages:write']);
  const answers: [string, Parameters<TestInstance['connect']>[0], number, string][] = [
    ['no key', { user: 'ann' }, 401, 'unauthorized'],
    ['a wrong key', { key: 'aldis_nonsense_0123456789', user: 'ann' }, 401, 'unauthorized'],
    ['a ticket that is none', { query: '?ticket=nonsense' }, 401, 'unauthorized'],
    ['a key that may not act for users', { key: weak.key, user: 'ann' }, 403, 'forbidden'],
    ['a key that may not read', { key: blind.key }, 403, 'forbidden'],
    ['software without events:read', { key: weak.key }, 403, 'forbidden'],
    ['an impossible device', { key, user: 'ann', device: 'x'.repeat(129) }, 400, 'invalid_field'],
    ['an unknown parameter', { key, user: 'ann', query: '?token=1' }, 400, 'unknown_field'],
    ['a foreign page', { key, user: 'ann', headers: { origin: 'https://evil.example' } }, 403, 'forbidden'],
    ['a page of nowhere', { key, user: 'ann', headers: { origin: 'null' } }, 403, 'forbidden'],
  ];
  for (const [name, options, status, code] of answers) {
    const answer = await one.connect(options).refused();
    assert.deepEqual([answer.status, answer.body['error']], [status, code], name);
    if (status === 401) assert.match(String(answer.headers['www-authenticate']), /^Bearer/);
  }
});

test('pages of the origins that may call, and of the server itself, may open sockets', async () => {
  const { key } = await people();
  for (const origin of ['https://shop.example', one.url.replace('ws:', 'http:')]) {
    const socket = one.connect({ key, user: 'ann', headers: { origin } });
    await socket.next('hello');
    socket.ws.close();
  }
});

test('another path, and a request for another protocol, are answered by the server as if nothing had been asked', async () => {
  const { key } = await people();
  const elsewhere = one.connect({ key, user: 'ann', path: '/other' });
  await assert.rejects(elsewhere.opened());
  assert.equal((await elsewhere.refused()).status, 404);
  const answer = await fetch(one.url.replace('ws:', 'http:'), { headers: { 'x-nothing': '1' } });
  assert.equal(answer.status, 404);
});

test('a ticket opens one socket, and the query names the device of a browser', async () => {
  const { tenant, key } = await people();
  const tickets = createTickets({ db: world.db });
  const asking = one.connect({ key, user: 'ann' });
  await asking.next('hello');
  const scopes = ['conversations:read'];
  const { ticket } = await tickets.issue(tenant, { user_id: 'ann', key_id: null, scopes, session_until: null });
  const query = `?ticket=${ticket}&device_id=browser&platform=web&app_version=1.0.0`;
  const socket = one.connect({ query });
  const hello = await socket.next('hello');
  assert.deepEqual([hello.payload['user_id'], hello.payload['device_id']], ['ann', 'browser']);
  assert.equal((await one.connect({ query }).refused()).status, 401);
  await until('the device is written', async () => {
    const rows = await world.db.query<object>(
      {
        name: 'test_device',
        text: 'select device_id, platform, app_version from devices where tenant_id = $1 and device_id = $2',
      },
      [tenant, 'browser'],
    );
    return JSON.stringify(rows) === '[{"device_id":"browser","platform":"web","app_version":"1.0.0"}]';
  });
  for (const one of [asking, socket]) one.ws.close();
});

test("a token's end closes its sockets", async () => {
  const { tenant } = await people();
  const tickets = createTickets({ db: world.db });
  const scopes = ['conversations:read'];
  const session_until = new Date(Date.now() + 4000);
  const { ticket } = await tickets.issue(tenant, { user_id: 'ann', key_id: null, scopes, session_until });
  const socket = one.connect({ query: `?ticket=${ticket}` });
  await socket.next('hello');
  assert.deepEqual(await socket.closed(), { code: 4200, reason: 'expired' });
});

test('a revoked key closes its sockets, and no others', async () => {
  const { tenant, key, id } = await people();
  const other = await world.key(tenant);
  const ann = one.connect({ key, user: 'ann' });
  const ben = one.connect({ key: other.key, user: 'ben' });
  await Promise.all([ann.next('hello'), ben.next('hello')]);
  await world.db.query({ name: 'test_revoke', text: 'update api_keys set revoked_at = now() where id = $1' }, [id]);
  one.signals.notify('keys');
  assert.deepEqual(await ann.closed(), { code: 4500, reason: 'refused' });
  ben.send('ping');
  await ben.next('pong');
  ben.ws.close();
});

test('the same device again takes the place of its older socket, and stays there for others', async () => {
  const { tenant, key } = await people();
  await direct(one, tenant, 'ann', 'ben');
  const older = one.connect({ key, user: 'ann', device: 'phone' });
  await older.next('hello');
  const newer = one.connect({ key, user: 'ann', device: 'phone' });
  await newer.next('hello');
  assert.deepEqual(await older.closed(), { code: 4501, reason: 'replaced' });
  newer.send('subscribe', { users: ['ann'] });
  await until('it is there', async () => {
    newer.send('subscribe', { users: ['ann'] });
    return (await newer.next('presence')).payload['online'] === true;
  });
  newer.ws.close();
});

test('a user has so many sockets and an instance so many, and no more', async () => {
  const { key } = await people();
  const small = await world.instance({ 'ws.max_connections': 21 });
  const many = Array.from({ length: 20 }, (_, n) => small.connect({ key, user: 'ann', device: `d${n}` }));
  await Promise.all(many.map((socket) => socket.next('hello')));
  const refused = await small.connect({ key, user: 'ann', device: 'one more' }).refused();
  assert.deepEqual([refused.status, refused.body['error']], [429, 'rate_limited']);
  const other = small.connect({ key, user: 'ben' });
  await other.next('hello');
  const full = await small.connect({ key, user: 'cem' }).refused();
  assert.deepEqual([full.status, full.body['error']], [503, 'overloaded']);
  assert.ok(Number(full.headers['retry-after']) >= 1);
  assert.match(await small.metrics(), /^aldis_sockets 21$/m);
  await small.stop();
});

test('a stop closes all sockets with the time to come again, and takes their devices away', async () => {
  const { tenant, key } = await people();
  const stopped = await world.instance();
  const sockets = Array.from({ length: 5 }, (_, n) => stopped.connect({ key, user: `u${n}` }));
  await Promise.all(sockets.map((socket) => socket.next('hello')));
  const deviceRows = async () =>
    (await world.db.query({ name: 'test_rows', text: 'select 1 from devices where tenant_id = $1' }, [tenant])).length;
  await until('the devices are written', async () => (await deviceRows()) === 5);
  await stopped.stop();
  for (const socket of sockets) {
    const { code, reason } = await socket.closed();
    assert.equal(code, 4000);
    assert.match(reason, /^shutdown retry_after_ms=\d+$/);
  }
  assert.equal(await deviceRows(), 0);
});

test('the devices of an instance that died count for nobody, and are taken away', async () => {
  const { tenant, key } = await people();
  await direct(one, tenant, 'ann', 'ben');
  const dead = '00000000-0000-7000-8000-00000000dead';
  await world.db.query(
    {
      name: 'test_dead',
      text: "insert into instances (id, expires_at, description) values ($1, now() - interval '2 minutes', 'dead')",
    },
    [dead],
  );
  await world.db.query(
    {
      name: 'test_dead_device',
      text: "insert into devices (tenant_id, user_id, device_id, instance_id) values ($1, 'ben', 'd', $2)",
    },
    [tenant, dead],
  );
  const ann = one.connect({ key, user: 'ann' });
  await ann.next('hello');
  ann.send('subscribe', { users: ['ben'] });
  assert.equal((await ann.next('presence')).payload['online'], false);
  ann.ws.close();
  const sweeping = await world.instance();
  sweeping.pass(30_000);
  await until('they are gone', async () => {
    const rows = await world.db.query<{ devices: number; seen: number }>(
      {
        name: 'test_swept',
        text: "select (select count(*) from devices where instance_id = $1) as devices, (select count(*) from last_seen where tenant_id = $2 and user_id = 'ben') as seen",
      },
      [dead, tenant],
    );
    return rows[0]?.devices === 0 && rows[0].seen === 1;
  });
  await sweeping.stop();
});
