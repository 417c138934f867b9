import assert from 'node:assert/strict';
import { test } from 'node:test';
import { doorWorld } from './door-world.ts';
import { everyRoute } from './every-route.ts';
import { asker } from './operator.ts';

/** Stands in every secret that is given here, and in nothing else. */
const SECRET = 'sesame';
let given = 0;
const secret = () => `${SECRET}-${++given}`;

test('no route ever tells a token, a secret, a verify token or a key again, nor does a refusal', async (t) => {
  const world = await doorWorld({}, {}, {}, { send_timeout: 100 });
  t.after(() => world.close());
  const customer = await world.customer();
  const operator = asker(world, await world.keyFor(customer.tenant, ['admin']));
  const told: string[] = [];
  const ask = async (method: string, path: string, body?: object, headers?: Record<string, string>) => {
    const answer = await operator.ask(method, path, body, headers);
    told.push(`${method} ${path} ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer;
  };
  const number = { phone: '+628120000001', phone_number_id: '700001', account_id: '600001' };
  const records: [path: string, id: string, body: () => Record<string, unknown>][] = [
    ['/apps', 'shop', () => ({ id: 'shop', app_secret: secret(), verify_token: secret() })],
    ['/senders', '', () => ({ ...number, access_token: secret() })],
    ['/senders', '', () => ({ channel: 'webhook', webhook_url: 'https://hooks.example/x', webhook_key: secret() })],
    ['/accounts', '600002', () => ({ id: '600002', access_token: secret() })],
  ];
  for (const [path, known, body] of records) {
    const made = await ask('POST', path, body());
    assert.ok(made.status < 300, JSON.stringify(made.body));
    const id = known || made.body.id;
    await ask('POST', path, body());
    const secrets = Object.fromEntries(Object.entries(body()).filter(([name]) => /token|secret|key$/.test(name)));
    assert.ok(Object.keys(secrets).length > 0);
    assert.equal((await ask('PATCH', `${path}/${id}`, secrets)).status, 200);
    // A refusal does not repeat what was wrong.
    for (const [name, value] of Object.entries(secrets)) {
      for (const wrong of [`${value} `, `${value}\n`, [value], { value }, `${value}${'x'.repeat(5000)}`]) {
        const refused = await ask('PATCH', `${path}/${id}`, { ...secrets, [name]: wrong });
        assert.equal(refused.status, 400, JSON.stringify(refused.body));
      }
    }
    await ask('PATCH', `${path}/${id}`, secrets, { 'x-api-case': 'camel' });
  }
  const ids = ['shop', 'default', '600001', '600002', ...(await idsOf('/senders'))];
  async function idsOf(path: string): Promise<string[]> {
    const { senders } = (await ask('GET', path)).body as unknown as { senders: { id: string }[] };
    return senders.map(({ id }) => id);
  }
  for (const { method, url } of await everyRoute()) {
    if (method !== 'GET' || !url.startsWith('/api/v1/')) continue;
    const path = url.slice('/api/v1'.length);
    const headers = { 'x-api-case': 'camel' };
    for (const id of url.includes(':') ? ids : ['']) {
      await ask('GET', path.replace(/:\w+/, id));
      await ask('GET', path.replace(/:\w+/, id), undefined, headers);
    }
  }
  const key = await ask('POST', '/api-keys', { name: 'x', scopes: ['messages:read'] });
  const [own = ''] = Object.values(key.body)
    .filter((value) => /^aldis_/.test(String(value)))
    .map(String);
  assert.notEqual(own, '');
  told.length = told.length - 1;
  await ask('GET', '/api-keys');
  await ask('GET', `/api-keys/${key.body.id}`);
  await ask('PATCH', `/api-keys/${key.body.id}`, { name: 'y' });
  await ask('DELETE', `/api-keys/${key.body.id}`);
  assert.ok(given > 12 && told.length > 100, `${given} ${told.length}`);
  assert.deepEqual(
    told.filter((text) => text.includes(SECRET) || text.includes(own) || text.includes('_sealed')),
    [],
  );
});
