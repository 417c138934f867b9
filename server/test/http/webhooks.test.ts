import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type DoorWorld, doorWorld, VERIFY_TOKEN } from './door-world.ts';

let world: DoorWorld;
before(async () => {
  world = await doorWorld();
});
after(() => world.close());

async function stored(): Promise<Buffer[]> {
  const all = { name: 'test_raw', text: 'select body from raw_webhooks order by id' };
  return (await world.db.query<{ body: Buffer }>(all)).map(({ body }) => body);
}

test('a signed webhook is stored byte for byte before it is answered, whatever is in it', async () => {
  const bodies = ['{"object": "\\u00e4",  "entry": []}', 'no JSON at all', Buffer.from([0, 255, 10])];
  for (const body of bodies) {
    const response = await world.webhook(body);
    assert.deepEqual([response.status, await response.text()], [200, '']);
  }
  assert.deepEqual(
    await stored(),
    bodies.map((body) => Buffer.from(body)),
  );
});

test('forged, missing and foreign signatures, unknown apps, and too large bodies leave nothing', async () => {
  const before = (await stored()).length;
  const wrong = `sha256=${'0'.repeat(64)}`;
  for (const signature of [wrong, 'sha256=', 'x', null]) {
    const response = await world.webhook('{}', { signature });
    assert.equal(response.status, 401, String(signature));
    assert.equal(((await response.json()) as { error: string }).error, 'invalid_signature');
  }
  for (const path of ['/webhooks/whatsapp/other', '/webhooks/whatsapp/NO%00', '/webhooks/whatsapp/']) {
    assert.equal((await world.webhook('{}', { path })).status, 404, path);
  }
  assert.equal((await world.webhook('x'.repeat(70_000))).status, 413);
  assert.equal((await stored()).length, before);
});

test('the challenge is answered as plain text to whoever knows the token', async () => {
  const ask = (query: string) => fetch(`${world.url}/webhooks/whatsapp/default?${query}`);
  const token = encodeURIComponent(VERIFY_TOKEN);
  const right = await ask(`hub.mode=subscribe&hub.verify_token=${token}&hub.challenge=1158201444`);
  assert.deepEqual([right.status, await right.text()], [200, '1158201444']);
  assert.match(right.headers.get('content-type') ?? '', /^text\/plain/);
  for (const query of [
    '',
    'hub.mode=subscribe&hub.verify_token=x&hub.challenge=1',
    `hub.verify_token=${token}&hub.challenge=1`,
  ]) {
    assert.equal((await ask(query)).status, 403, query);
  }
});
