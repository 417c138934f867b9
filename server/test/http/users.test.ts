import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, test } from 'node:test';
import type { Principal } from '../../src/access/principal.ts';
import type { Scope } from '../../src/domain/api-key.ts';
import { AldisError } from '../../src/domain/errors.ts';
import type { Config } from '../../src/runtime/settings.ts';
import { AUDIENCE, type Issuer, startIssuer } from '../access/issuer.ts';
import { until } from '../until.ts';
import { type Customer, type DoorWorld, doorWorld } from './door-world.ts';

/*
 * Who asks, as it is seen from outside: keys that speak for users, users by tokens, gateways, tickets. What a ticket opens is looked
 * at by using it up, as a socket would.
 */

let world: DoorWorld;
let issuer: Issuer;
let customer: Customer;
before(async () => {
  issuer = await startIssuer();
  world = await doorWorld({}, {}, {}, {}, { jwt: jwt(), user_scopes: ['conversations:read', 'conversations:write'] });
  customer = await world.customer();
});
after(async () => {
  await world.close();
  await issuer.close();
});

function jwt(change: Partial<Config['auth']['jwt']> = {}): Config['auth']['jwt'] {
  return {
    issuer: issuer.issuer,
    audience: [AUDIENCE],
    algorithms: ['ES256'],
    jwks_url: issuer.jwks_url,
    public_key: null,
    secret: null,
    user_claim: 'sub',
    tenant_claim: 'org',
    tenant: null,
    scopes_claim: null,
    clock_tolerance: 0,
    ...change,
  };
}

interface Told {
  status: number;
  headers: NodeJS.Dict<string | string[]>;
  body: { ticket: string; expires_at: string; error: string; message: string; details: Record<string, unknown> | null };
}

/** Node's own client: it sends header lines as they are given, several of one name too. */
function ask(
  headers: Record<string, string | string[]>,
  { path = '/api/v1/tickets', method = 'POST', url = world.url } = {},
): Promise<Told> {
  return new Promise((resolve, reject) => {
    const asked = request(`${url}${path}`, { method, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: JSON.parse(text) }),
      );
    });
    asked.on('error', reject);
    asked.end();
  });
}

/** Who a ticket is for. */
function open(ticket: string, headers: Record<string, string> = {}): Principal | Promise<Principal> {
  return world.identifier.identifySocket({ headers, headersDistinct: {}, socket: {} }, ticket);
}

async function userOf(answer: Told): Promise<string | null> {
  assert.equal(answer.status, 201, answer.body.message);
  return (await open(answer.body.ticket)).user_id;
}

const key = (...scopes: Scope[]) => world.keyFor(customer.tenant, scopes);
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

test('a key with act_as speaks for the user whom X-User-ID names; without the header for itself', async () => {
  const acting = await key('act_as', 'conversations:read');
  assert.equal(await userOf(await ask({ ...bearer(acting), 'X-User-ID': 'ana' })), 'ana');
  assert.equal(await userOf(await ask({ 'x-api-key': acting, 'x-user-id': 'b c@d/' })), 'b c@d/');
  assert.equal(await userOf(await ask(bearer(acting))), null);
  assert.equal(await userOf(await ask({ ...bearer(await key('admin')), 'X-User-ID': 'ana' })), 'ana');
});

test('X-User-ID beside a key without act_as is 403 and names the scope, on every route', async () => {
  const plain = await key('conversations:read', 'messages:read');
  for (const route of [{}, { path: '/api/v1/messages', method: 'GET' }]) {
    const { status, body } = await ask({ ...bearer(plain), 'X-User-ID': 'ana' }, route);
    assert.deepEqual([status, body.error, body.details], [403, 'forbidden', { scope: 'act_as' }]);
  }
  // A wrong key stays wrong.
  assert.equal((await ask({ ...bearer(`${plain}x`), 'X-User-ID': 'ana' })).status, 401);
});

test('a user id is 1 to 128 characters of UTF-8 without control characters, and is there once', async () => {
  const acting = await key('act_as', 'conversations:read');
  const named = (user: string | string[]) => ask({ ...bearer(acting), 'X-User-ID': user });
  const utf8 = (text: string) => Buffer.from(text).toString('latin1');
  assert.equal(await userOf(await named(utf8('Ünal ش 😀'))), 'Ünal ش 😀');
  assert.equal(await userOf(await named(utf8('😀'.repeat(128)))), '😀'.repeat(128));
  assert.equal(await userOf(await named('a,b')), 'a,b', 'a comma is a character');
  for (const user of ['', 'x'.repeat(129), 'a\tb', '\xff\xfe', utf8('a\u0085b'), ['ana', 'eve'], ['ana', 'ana']]) {
    const { status, body } = await named(user);
    assert.deepEqual([status, body.error, body.details], [400, 'invalid_field', { field: 'X-User-ID' }], String(user));
  }
});

test("a token is its user's, on REST as for a ticket, and may what conversations need and no more", async () => {
  const token = await issuer.sign({ org: customer.tenant, sub: 'ana' });
  const issued = await ask(bearer(token));
  assert.equal(issued.headers['cache-control'], 'no-store');
  const principal = await open(issued.body.ticket);
  assert.deepEqual([principal.user_id, principal.tenant_id, principal.by], ['ana', customer.tenant, 'token']);
  assert.deepEqual([...principal.scopes], ['conversations:read', 'conversations:write']);
  assert.ok(principal.expires_at !== null && principal.expires_at > Date.now(), 'a socket ends with the token');
  for (const [path, method] of [
    ['/api/v1/contacts', 'GET'],
    ['/api/v1/senders', 'GET'],
    ['/api/v1/messages/batch', 'POST'],
    ['/api/v1/api-keys', 'GET'],
    ['/metrics', 'GET'],
  ] as const) {
    const { status, body } = await ask(bearer(token), { path, method });
    assert.equal(status, 403, path);
    assert.match(body.message, /^The token lacks the scope /);
  }
  assert.equal(await userOf(await ask({ ...bearer(token), 'X-User-ID': 'ana' })), 'ana', 'his own name is no news');
  const other = await ask({ ...bearer(token), 'X-User-ID': 'eve' });
  assert.deepEqual([other.status, other.body.details], [403, { field: 'X-User-ID' }]);
});

test('a token that is refused says why, in the body and as RFC 6750 has it, and never what it has', async () => {
  for (const [why, token] of [
    ['expired', await issuer.sign({ org: customer.tenant }, { expiresIn: -1 })],
    ['audience', await issuer.sign({ org: customer.tenant, aud: 'shop' })],
    ['issuer', await issuer.sign({ org: customer.tenant, iss: 'https://evil.example' })],
    ['signature', `${(await issuer.sign({ org: customer.tenant })).replace(/\.[^.]*$/, '')}.${'A'.repeat(86)}`],
    ['tenant', await issuer.sign({ org: 'no-such-tenant' })],
    ['algorithm', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbmEifQ.'],
  ] as const) {
    const { status, body, headers } = await ask(bearer(token));
    assert.deepEqual([status, body.error, body.details], [401, 'unauthorized', { reason: why }]);
    const challenge = `Bearer realm="aldis", error="invalid_token", error_description="${body.message}"`;
    assert.equal(headers['www-authenticate'], challenge);
    assert.ok(!JSON.stringify(body).includes('evil') && !JSON.stringify(body).includes('no-such-tenant'));
  }
  const none = await ask({});
  assert.deepEqual([none.status, none.headers['www-authenticate']], [401, 'Bearer realm="aldis"']);
  assert.deepEqual(world.logged, [], 'a refused token is no trouble of ours');
});

test('a token is refused when it has expired, though it was good a moment before', async () => {
  const token = await issuer.sign({ org: customer.tenant, exp: Math.floor(Date.now() / 1000) + 2 });
  let last = await ask(bearer(token));
  assert.equal(last.status, 201);
  await until('it has expired', async () => {
    last = await ask(bearer(token));
    return last.status !== 201;
  });
  assert.deepEqual([last.status, last.body.details], [401, { reason: 'expired' }]);
});

test("an Idempotency-Key is its user's own", async () => {
  const acting = await key('act_as', 'conversations:read', 'conversations:write');
  const said = async (user: string, path: string, body: object, mark?: string) => {
    const response = await fetch(`${world.url}/api/v1/${path}`, {
      method: 'POST',
      headers: {
        ...bearer(acting),
        'x-user-id': user,
        'content-type': 'application/json',
        ...(mark && { 'idempotency-key': mark }),
      },
      body: JSON.stringify(body),
    });
    const { id, user_id, message } = (await response.json()) as { id: string; user_id: string; message: string };
    assert.ok(response.status < 300, message);
    return { id, user_id };
  };
  const participants = [{ user_id: 'ana' }, { user_id: 'bob' }];
  const { id: conversation_id } = await said('ana', 'conversations', { type: 'direct', participants });
  const body = { conversation_id, content: 'Hi' };
  const one = await said('ana', 'messages', body, '1');
  const other = await said('bob', 'messages', body, '1');
  assert.deepEqual([one.user_id, other.user_id], ['ana', 'bob']);
  assert.notEqual(one.id, other.id);
  assert.equal((await said('ana', 'messages', body, '1')).id, one.id);
});

test('keys and tokens of one tenant share its rate', async () => {
  const limited = await world.tenant();
  await world.db.query(
    { name: 'test_rate', text: 'update tenants set requests_per_second = 1, request_burst = 100 where id = $1' },
    [limited.tenant],
  );
  const plain = await world.keyFor(limited.tenant, ['conversations:read']);
  const token = await issuer.sign({ org: limited.tenant });
  const left = async (credential: string) => {
    const { headers } = await ask(bearer(credential));
    return Number(/r=(\d+)/.exec(String(headers['ratelimit']))?.[1]);
  };
  for (let i = 0; i < 20; i++) await left(plain);
  for (let i = 0; i < 19; i++) await left(token);
  // 60 but for what came back meanwhile; 80 if each had one of its own.
  assert.ok((await left(token)) < 75);
});

test('who asks too much by a token takes nothing from the others', async () => {
  const hurried = await doorWorld({}, {}, {}, {}, { jwt: jwt(), user_requests_per_second: 1 });
  try {
    const { tenant } = await hurried.tenant();
    const { url } = hurried;
    const [ana, bob] = [await issuer.sign({ org: tenant, sub: 'ana' }), await issuer.sign({ org: tenant, sub: 'bob' })];
    let last = await ask(bearer(ana), { url });
    await until('she has asked too much', async () => {
      last = await ask(bearer(ana), { url });
      return last.status === 429;
    });
    assert.match(String(last.headers['ratelimit-policy']), /^"user";q=2;w=2$/);
    assert.equal(last.headers['retry-after'], '1');
    assert.equal((await ask(bearer(bob), { url })).status, 201);
    const acting = await hurried.keyFor(tenant, ['act_as', 'conversations:read']);
    assert.equal((await ask({ ...bearer(acting), 'X-User-ID': 'ana' }, { url })).status, 201, 'a key is no user');
  } finally {
    await hurried.close();
  }
});

test('a ticket of a key carries what a socket needs and no more, and counts once', async () => {
  const acting = await key('act_as', 'conversations:read', 'conversations:write', 'messages:write', 'events:read');
  const ofUser = await ask({ ...bearer(acting), 'X-User-ID': 'ana' });
  const opened = await open(ofUser.body.ticket);
  assert.deepEqual([...opened.scopes], ['conversations:read', 'conversations:write']);
  assert.deepEqual([opened.by, opened.user_id, opened.expires_at], ['key', 'ana', null]);
  const used = (error: unknown) => error instanceof AldisError && error.code === 'unauthorized';
  await assert.rejects(async () => open(ofUser.body.ticket), used);
  const ofKey = await ask(bearer(await key('admin')));
  assert.deepEqual(
    [...(await open(ofKey.body.ticket)).scopes],
    ['conversations:read', 'conversations:write', 'events:read'],
  );
  await assert.rejects(async () => open('ticket_none'), used);
  const contested = (await ask({ ...bearer(acting), 'X-User-ID': 'ana' })).body.ticket;
  const all = await Promise.allSettled(Array.from({ length: 20 }, async () => open(contested)));
  assert.equal(all.filter(({ status }) => status === 'fulfilled').length, 1);
});

test('a ticket counts for sockets only, and not beside a key', async () => {
  const acting = await key('act_as', 'conversations:read');
  const { ticket } = (await ask({ ...bearer(acting), 'X-User-ID': 'ana' })).body;
  assert.equal((await ask({}, { path: `/api/v1/tickets?ticket=${ticket}` })).status, 401);
  assert.equal((await ask(bearer(ticket))).status, 401);
  await assert.rejects(async () => open(ticket, bearer(`aldis_${'x'.repeat(32)}`)), /This key is not known/);
  assert.equal((await open(ticket, bearer(acting))).user_id, null, 'the key that is shown is who asks');
  const basic = { authorization: 'Basic YTpi' };
  assert.equal(
    (await open(ticket, basic)).user_id,
    'ana',
    'it is still there; a password of a site around us is no key',
  );
  assert.equal((await ask({ ...bearer(await key('messages:read')) })).status, 403);
});

test('X-User-ID alone counts from the address of a gateway only, whatever a proxy says', async () => {
  const alone = await ask({ 'X-User-ID': 'ana' });
  assert.deepEqual([alone.status, alone.body.error], [401, 'unauthorized']);
  assert.match(alone.body.message, /^X-User-ID alone proves nothing/);

  const gateway = (addresses: string[], tenant: string) =>
    doorWorld({}, { trusted_proxies: ['127.0.0.1'] }, {}, {}, { gateway: { addresses, tenant } });
  const elsewhere = await gateway(['10.0.0.0/8', '192.0.2.7'], 'shop');
  try {
    for (const forwarded of ['10.1.2.3', '192.0.2.7']) {
      const { status } = await ask({ 'X-User-ID': 'ana', 'X-Forwarded-For': forwarded }, { url: elsewhere.url });
      assert.equal(status, 401, 'who is forwarded says so himself');
    }
  } finally {
    await elsewhere.close();
  }

  const here = await gateway(['127.0.0.0/8'], 'shop');
  try {
    const unknown = await ask({ 'X-User-ID': 'ana' }, { url: here.url });
    assert.deepEqual([unknown.status, unknown.body.error], [401, 'unauthorized']);
    const { tenant } = await here.tenant();
    await here.db.query({ name: 'test_shop', text: "update tenants set external_id = 'shop' where id = $1" }, [tenant]);
    const asHere = (headers: Record<string, string | string[]>, path = '/api/v1/tickets', method = 'POST') =>
      ask(headers, { url: here.url, path, method });
    const { ticket } = (await asHere({ 'X-User-ID': 'ana' })).body;
    const principal = await here.identifier.identifySocket({ headers: {}, headersDistinct: {}, socket: {} }, ticket);
    assert.deepEqual([principal.user_id, principal.tenant_id], ['ana', tenant]);
    assert.equal((await asHere({ 'X-User-ID': 'ana' }, '/api/v1/contacts', 'GET')).status, 403);
    assert.equal((await asHere({ 'X-User-ID': '' })).status, 400);
    assert.equal((await asHere({ 'X-User-ID': ['ana', 'eve'] })).status, 400);
    assert.equal((await asHere({})).status, 401, 'nobody is named');
    assert.equal((await asHere({ ...bearer('aldis_wrong-key-of-somebody'), 'X-User-ID': 'ana' })).status, 401);
  } finally {
    await here.close();
  }
});

test('while the issuer does not answer a token is 503, and keys go on', async () => {
  const silent = await startIssuer();
  silent.answer(500);
  const cut = await doorWorld({}, {}, {}, {}, { jwt: jwt({ issuer: silent.issuer, jwks_url: silent.jwks_url }) });
  try {
    const { tenant } = await cut.tenant();
    const { status, headers, body } = await ask(bearer(await silent.sign({ org: tenant })), { url: cut.url });
    assert.deepEqual([status, body.error, headers['retry-after']], [503, 'unavailable', '1']);
    const plain = await cut.keyFor(tenant, ['conversations:read']);
    assert.equal((await ask(bearer(plain), { url: cut.url })).status, 201);
    assert.ok(cut.logged.some((line) => line.includes('signing keys')));
  } finally {
    await cut.close();
    await silent.close();
  }
});

test('a browser of another origin may send its token and its user', async () => {
  const cross = await doorWorld({}, { cors_origins: ['https://app.example'] }, {}, {}, {});
  try {
    const asked = await fetch(`${cross.url}/api/v1/tickets`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://app.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization, x-user-id',
      },
    });
    const allowed = (asked.headers.get('access-control-allow-headers') ?? '').toLowerCase().split(', ');
    assert.ok(allowed.includes('authorization') && allowed.includes('x-user-id'), allowed.join());
  } finally {
    await cross.close();
  }
});
