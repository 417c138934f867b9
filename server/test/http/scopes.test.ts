import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { SCOPES, type Scope } from '../../src/domain/api-key.ts';
import { newId, type TenantId } from '../../src/domain/ids.ts';
import { insertTenant } from '../../src/store/set-up.write.ts';
import { type DoorWorld, doorWorld } from './door-world.ts';
import { everyRoute, type Route } from './every-route.ts';

let world: DoorWorld;
let tenant: TenantId;
let routes: Route[];
before(async () => {
  world = await doorWorld();
  tenant = newId<TenantId>();
  await insertTenant(world.db, tenant, 'test');
  routes = await everyRoute();
});
after(() => world.close());

/** What needs no key: it tells nothing of anybody, or is guarded by a signature of its own. */
const OPEN = new Set([
  'GET /health',
  'GET /ready',
  'GET /docs',
  'GET /docs/openapi.json',
  'GET /media/:token',
  'HEAD /media/:token',
  'GET /webhooks/whatsapp',
  'GET /webhooks/whatsapp/:app',
  'POST /webhooks/whatsapp',
  'POST /webhooks/whatsapp/:app',
]);

/** Which scope a route needs, by the noun of its path. */
function scopeOf({ name, method, url }: Route): Scope {
  const [, , , noun = ''] = url.split('/');
  const way = method === 'GET' || /\/preview$/.test(url) ? 'read' : 'write';
  if (url === '/metrics') return 'metrics:read';
  if (url.startsWith('/processor/')) return `messages:${way}`;
  if (/\/messages\/:id\/(edits|replies)$/.test(url)) return 'conversations:read';
  switch (noun) {
    case 'tenants':
    case 'apps':
    case 'api-keys':
    case 'secrets':
      return 'admin';
    case 'senders':
      return way === 'read' ? 'messages:read' : 'admin';
    case 'messages':
    case 'batches':
    case 'dead-letters':
    case 'pauses':
    case 'redrives':
      return `messages:${way}`;
    case 'conversations':
      return `conversations:${way}`;
    case 'events':
      return 'events:read';
    case 'tickets':
    case 'users':
      return 'conversations:read';
    case 'exports':
      return 'exports:write';
    case 'accounts':
    case 'contacts':
    case 'media':
    case 'templates':
    case 'webhooks':
      return `${noun}:${way}`;
    case 'consents':
    case 'blocked-users':
      return `contacts:${way}`;
    default:
      throw new Error(`nobody has said which scope ${name} needs`);
  }
}

/** Routes of messages of every kind: what people say to each other is not for those who may only send, nor the other way round. */
const ALSO: Readonly<Record<string, Scope>> = {
  'POST /api/v1/messages': 'conversations:write',
  'GET /api/v1/messages/:id': 'conversations:read',
  'PUT /api/v1/messages/:id': 'conversations:write',
  'DELETE /api/v1/messages/:id': 'conversations:write',
  'PUT /api/v1/messages/:id/read': 'conversations:write',
  'POST /api/v1/messages/:id/read': 'conversations:write',
  'POST /api/v1/messages/:id/reactions': 'conversations:write',
  'DELETE /api/v1/messages/:id/reactions': 'conversations:write',
};

async function ask(
  route: Route,
  key: string | null,
): Promise<{ status: number; keyless: boolean; scope: string | null }> {
  const response = await fetch(`${world.url}${route.url.replace(/:\w+/, newId())}`, {
    method: route.method,
    headers: key === null ? {} : { 'x-api-key': key },
  });
  const text = await response.text();
  // The old names of the processor answer errors in words of their own.
  const scope = /lacks the scope ([\w:]+)/.exec(text)?.[1] ?? null;
  return { status: response.status, keyless: response.headers.has('www-authenticate'), scope };
}

test('every route needs a key with its scope, but for those that are named here', async () => {
  assert.ok(routes.length > 80, `${routes.length}`);
  const none = await world.keyFor(tenant, []);
  const keys = new Map<Scope, [one: string, others: string]>();
  for (const scope of SCOPES) {
    const others = SCOPES.filter((other) => other !== scope && other !== 'admin');
    keys.set(scope, [await world.keyFor(tenant, [scope]), await world.keyFor(tenant, others)]);
  }
  for (const route of routes) {
    const { name } = route;
    const unknown = await ask(route, null);
    if (OPEN.has(name)) {
      assert.equal(unknown.keyless, false, name);
      continue;
    }
    assert.deepEqual(unknown, { status: 401, keyless: true, scope: null }, name);
    const scope = scopeOf(route);
    const [one, others] = keys.get(scope) as [string, string];
    assert.deepEqual(await ask(route, none), { status: 403, keyless: false, scope }, name);
    const also = ALSO[name];
    if (also === undefined) {
      assert.deepEqual(await ask(route, others), { status: 403, keyless: false, scope }, name);
    } else {
      const neither = await world.keyFor(
        tenant,
        SCOPES.filter((other) => ![scope, also, 'admin'].includes(other)),
      );
      assert.deepEqual(await ask(route, neither), { status: 403, keyless: false, scope }, name);
      const other = await ask(route, keys.get(also)?.[0] ?? '');
      assert.ok([400, 404].includes(other.status), `${name}: ${other.status}`);
    }
    // What is missing in the request is told, or that there is no such record: it has got beyond the guard.
    const let_in = await ask(route, one);
    assert.ok(![401, 403].includes(let_in.status) && let_in.status < 500, `${name}: ${let_in.status}`);
  }
});

test('an export needs the scope of its list as well', async () => {
  const key = await world.keyFor(tenant, ['exports:write']);
  for (const [kind, scope] of [
    ['messages', 'messages:read'],
    ['contacts', 'contacts:read'],
  ]) {
    const response = await fetch(`${world.url}/api/v1/exports`, {
      method: 'POST',
      headers: { 'x-api-key': key, 'content-type': 'application/json' },
      body: JSON.stringify({ kind, format: 'csv' }),
    });
    const { details } = (await response.json()) as { details: unknown };
    assert.deepEqual([response.status, details], [403, { scope }]);
  }
});
