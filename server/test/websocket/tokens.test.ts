import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AUDIENCE, type Issuer, startIssuer } from '../access/issuer.ts';
import { direct, type SocketWorld, socketWorld, TEXT, type TestInstance } from './socket-world.ts';

let world: SocketWorld;
let issuer: Issuer;
let one: TestInstance;
let tenant: Awaited<ReturnType<SocketWorld['people']>>['tenant'];
before(async () => {
  world = await socketWorld();
  issuer = await startIssuer();
  ({ tenant } = await world.people());
  one = await world.instance({
    'auth.jwt.issuer': issuer.issuer,
    'auth.jwt.audience': [AUDIENCE],
    'auth.jwt.jwks_url': issuer.jwks_url,
    'auth.jwt.tenant': tenant,
    'auth.jwt.clock_tolerance': 0,
  });
});
after(async () => {
  await world.close();
  await issuer.close();
});

test('a user opens a socket by his token, and is told when it has expired', async () => {
  const conversation = await direct(one, tenant, 'ana', 'ben');
  const ana = one.connect({ key: await issuer.sign({ sub: 'ana' }, { expiresIn: 3 }) });
  const hello = await ana.next('hello');
  assert.equal(hello.payload['user_id'], 'ana');
  await one.chat.say(tenant, conversation, 'ben', { ...TEXT, content: 'hello' }, null);
  const last = await ana.next('new_message');
  assert.deepEqual(await ana.closed(), { code: 4200, reason: 'expired' });
  await one.chat.say(tenant, conversation, 'ben', { ...TEXT, content: 'while it was closed' }, null);
  const again = one.connect({ key: await issuer.sign({ sub: 'ana' }), query: `?after=${last.cursor}` });
  assert.equal((await again.next('new_message')).payload.message['content'], 'while it was closed');
  again.ws.close();
});

test('a token that is refused is told why, in the answer and its challenge', async () => {
  const expired = await one.connect({ key: await issuer.sign({}, { expiresIn: -60 }) }).refused();
  assert.equal(expired.status, 401);
  assert.deepEqual(expired.body['details'], { reason: 'expired' });
  assert.equal(
    expired.headers['www-authenticate'],
    'Bearer realm="aldis", error="invalid_token", error_description="The token has expired."',
  );
  const foreign = await one.connect({ key: await issuer.sign({ aud: 'other' }) }).refused();
  assert.deepEqual([foreign.status, foreign.body['details']], [401, { reason: 'audience' }]);
  const nobody = await one.connect({ user: 'ana' }).refused();
  assert.deepEqual([nobody.status, nobody.headers['www-authenticate']], [401, 'Bearer realm="aldis"']);
});

test('a token speaks for its user only', async () => {
  const key = await issuer.sign({ sub: 'ana' });
  const other = await one.connect({ key, user: 'ben' }).refused();
  assert.deepEqual([other.status, other.body['error']], [403, 'forbidden']);
  const same = one.connect({ key, user: 'ana' });
  await same.next('hello');
  same.ws.close();
});
