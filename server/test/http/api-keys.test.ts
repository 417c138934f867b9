import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { after, before, test } from 'node:test';
import { SCOPES } from '../../src/domain/api-key.ts';
import { newId } from '../../src/domain/ids.ts';
import { newPhone } from '../engine-world.ts';
import { type Asker, asker, type OperatorWorld, operatorWorld, tableText } from './operator.ts';

let stage: OperatorWorld;
let operator: Asker;
before(async () => {
  stage = await operatorWorld();
  operator = stage.operator;
});
after(() => stage.world.close());

async function newKey(body: object = {}): Promise<{ id: string; key: string }> {
  const made = await operator.ask('POST', '/api-keys', { name: 'test', ...body });
  assert.equal(made.status, 201, made.body.message);
  return { id: made.body.id, key: String(made.body['key']) };
}

test('a key is told once, works, and is kept as a hash only', async () => {
  const { tenant } = await stage.world.tenant();
  const expires_at = new Date(Date.now() + 86_400_000).toISOString();
  const asked = { name: 'shop', scopes: ['messages:read'], dialect: 'queue', expires_at };
  const made = await operator.ask('POST', '/api-keys', { tenant_id: tenant, ...asked });
  const { id, key, created_at, ...rest } = made.body;
  assert.deepEqual([made.status, made.headers.get('cache-control')], [201, 'no-store']);
  assert.deepEqual(rest, { ...asked, revoked_at: null, last_used_at: null });
  assert.match(String(key), /^aldis_[\w-]{32}$/);
  const read = await operator.ask('GET', `/api-keys/${id}?tenant_id=${tenant}`);
  assert.deepEqual([read.status, read.body], [200, { id, created_at, ...rest }]);
  assert.ok(!(await tableText(stage.world, 'api_keys')).includes(String(key)));
  const snake = { 'x-api-case': 'snake' };
  const own = asker(stage.world, String(key));
  assert.equal((await own.ask('GET', '/messages', undefined, snake)).status, 200);
  assert.equal((await own.ask('POST', '/messages', { to: newPhone() }, snake)).status, 403);
});

test('keys are listed with the revoked ones, the newest first, and of one tenant', async () => {
  const { tenant } = await stage.world.tenant();
  const ids: string[] = [];
  for (const name of ['a', 'b', 'c']) ids.push((await newKey({ name, tenant_id: tenant })).id);
  await operator.ask('DELETE', `/api-keys/${ids[1]}?tenant_id=${tenant}`);
  const first = await operator.ask('GET', `/api-keys?tenant_id=${tenant}&limit=2`);
  const second = await operator.ask('GET', `/api-keys?tenant_id=${tenant}&limit=2&cursor=${first.body.next_cursor}`);
  const seen = [first, second].flatMap(({ body }) => body['api_keys'] as { id: string; revoked_at: string | null }[]);
  assert.deepEqual(
    seen.map(({ id, revoked_at }) => [id, revoked_at !== null]),
    [
      [ids[2], false],
      [ids[1], true],
      [ids[0], false],
    ],
  );
  assert.equal(second.body.next_cursor, null);
  assert.equal((await operator.ask('GET', `/api-keys/${ids[0]}`)).status, 404);
});

test('a key that is changed may at once what it says now', async () => {
  const { id, key } = await newKey({ scopes: ['events:read'] });
  const own = asker(stage.world, key);
  assert.equal((await own.ask('GET', '/messages')).status, 403);
  const changed = await operator.ask('PATCH', `/api-keys/${id}`, { scopes: ['messages:read'], name: 'renamed' });
  assert.deepEqual([changed.status, changed.body['scopes'], changed.body['name']], [200, ['messages:read'], 'renamed']);
  assert.equal((await own.ask('GET', '/messages')).status, 200);
});

test('a revoked key is refused at once; what had begun goes on; revoking again changes nothing', async () => {
  const { id, key } = await newKey();
  const own = asker(stage.world, key);
  assert.equal((await own.ask('GET', '/messages')).status, 200);
  const batch = slowBatch(key);
  await batch.begun;
  const revoked = await operator.ask('DELETE', `/api-keys/${id}`);
  assert.equal(revoked.status, 200);
  assert.ok(revoked.body['revoked_at']);
  const refused = await own.ask('GET', '/messages');
  assert.deepEqual([refused.status, refused.body.error], [401, 'unauthorized']);
  const { status, accepted } = await batch.finish();
  assert.deepEqual([status, accepted], [202, 2]);
  const { status: after } = await slowBatch(key).finish();
  assert.equal(after, 401);
  const again = await operator.ask('DELETE', `/api-keys/${id}`);
  assert.deepEqual([again.status, again.body], [200, revoked.body]);
  // Neither new scopes nor a later expiry bring it back.
  await operator.ask('PATCH', `/api-keys/${id}`, { scopes: ['messages:read'], expires_at: null });
  assert.equal((await own.ask('GET', '/messages')).status, 401);
});

/** A batch whose body comes in two halves: the key is looked at before the first. */
function slowBatch(key: string) {
  const item = () => ({ to: newPhone(), content: { text: 'x' } });
  const body = JSON.stringify({ messages: [item(), item()] });
  const begun = Promise.withResolvers<void>();
  const done = Promise.withResolvers<{ status: number; accepted: number }>();
  const request = httpRequest(`${stage.world.url}/api/v1/messages/batch`, {
    method: 'POST',
    headers: {
      'x-api-key': key,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      // The server says "go on" when it has the head: so it is known to have begun.
      expect: '100-continue',
    },
  });
  request.on('continue', () => begun.resolve());
  request.on('error', done.reject);
  request.on('response', (response) => {
    let text = '';
    response.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    response.on('end', () => {
      const { accepted = 0 } = JSON.parse(text) as { accepted?: number };
      begun.resolve();
      done.resolve({ status: response.statusCode ?? 0, accepted });
    });
  });
  request.flushHeaders();
  return {
    begun: begun.promise.then(() => void request.write(body.slice(0, 20))),
    async finish() {
      await begun.promise;
      request.end(request.writableLength > 0 || request.headersSent ? body.slice(20) : body);
      return done.promise;
    },
  };
}

test('an operator does not end the key that asks', async () => {
  const { id, key } = await newKey({ scopes: ['admin'] });
  const self = asker(stage.world, key);
  for (const [method, body] of [
    ['DELETE', undefined],
    ['PATCH', { scopes: ['messages:read'] }],
    ['PATCH', { expires_at: new Date(Date.now() + 60_000).toISOString() }],
  ] as const) {
    const answer = await self.ask(method, `/api-keys/${id}`, body);
    assert.deepEqual([answer.status, answer.body.error], [409, 'in_use'], method);
  }
  assert.equal((await self.ask('PATCH', `/api-keys/${id}`, { name: 'mine' })).status, 200);
});

test("keys are the operator's: no other key makes, sees or ends one", async () => {
  const scopes = SCOPES.filter((scope) => scope !== 'admin');
  const { id, key } = await newKey({ scopes });
  const own = asker(stage.world, key);
  for (const [method, path, body] of [
    ['GET', '/api-keys', undefined],
    ['POST', '/api-keys', { name: 'x', scopes: ['admin'] }],
    ['GET', `/api-keys/${id}`, undefined],
    ['PATCH', `/api-keys/${id}`, { scopes: ['admin'] }],
    ['DELETE', `/api-keys/${id}`, undefined],
  ] as const) {
    assert.equal((await own.ask(method, path, body)).status, 403, `${method} ${path}`);
  }
});

test('bad input is refused with its field, and nothing is written', async () => {
  const { id } = await newKey();
  const before = await tableText(stage.world, 'api_keys');
  const wrong: [string, string, object, string, string][] = [
    ['POST', '/api-keys', {}, 'missing_field', 'name'],
    ['POST', '/api-keys', { name: 'x', scopes: [] }, 'invalid_field', 'scopes'],
    ['POST', '/api-keys', { name: 'x', scopes: ['messages:send'] }, 'invalid_field', 'scopes[0]'],
    ['POST', '/api-keys', { name: 'x', scopes: ['admin', 'admin'] }, 'invalid_field', 'scopes'],
    ['POST', '/api-keys', { name: 'x', dialect: 'klingon' }, 'invalid_field', 'dialect'],
    ['POST', '/api-keys', { name: 'x', expires_at: 'soon' }, 'invalid_field', 'expires_at'],
    ['POST', '/api-keys', { name: 'x', expires_at: '2020-01-01T00:00:00Z' }, 'invalid_field', 'expires_at'],
    ['POST', '/api-keys', { name: 'x', key: 'aldis_mine' }, 'unknown_field', 'key'],
    ['POST', '/api-keys', { name: 'x', tenant_id: newId() }, 'not_found', 'tenant_id'],
    ['PATCH', `/api-keys/${id}`, { revoked_at: null }, 'unknown_field', 'revoked_at'],
    ['PATCH', `/api-keys/${newId()}`, { name: 'x' }, 'not_found', 'id'],
    ['PATCH', '/api-keys/me', { name: 'x' }, 'not_found', 'id'],
  ];
  for (const [method, path, body, error, field] of wrong) {
    const answer = await operator.ask(method, path, body);
    const what = `${method} ${JSON.stringify(body)}: ${answer.body.message}`;
    assert.deepEqual([answer.body.error, answer.body.details?.field], [error, field], what);
  }
  assert.equal(await tableText(stage.world, 'api_keys'), before);
});
