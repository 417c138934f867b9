import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newId } from '../../src/domain/ids.ts';
import { type Answer, type Customer, type DoorWorld, doorWorld } from '../http/door-world.ts';

let world: DoorWorld;
let customer: Customer;
before(async () => {
  world = await doorWorld();
  customer = await world.customer();
});
after(() => world.close());

const URL = 'https://hooks.example/aldis';
const PATH = '/api/v1/webhooks';

async function ask(method: string, path: string, body?: object, key = customer.key): Promise<Answer> {
  const response = await fetch(`${world.url}${path}`, {
    method,
    headers: { 'x-api-key': key, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  const { status, headers } = response;
  return { status, headers, body: (await response.json()) as Answer['body'] };
}

test('an endpoint is made, read, listed, changed and deleted; its secret is told once', async () => {
  const fields = { description: 'mine', event_types: ['message.*', 'chat.created'], ordered: true };
  const made = await customer.post(PATH, { url: URL, sender_ids: [customer.sender], ...fields });
  assert.equal(made.status, 201, made.body.message);
  const { secret, ...shown } = made.body;
  assert.match(String(secret), /^whsec_[A-Za-z0-9+/]{43}=$/);
  const { id } = made.body;
  assert.deepEqual(
    { ...shown, created_at: null, updated_at: null },
    {
      id,
      url: URL,
      ...fields,
      sender_ids: [customer.sender],
      conversation_ids: null,
      enabled: true,
      disabled_reason: null,
      failing_since: null,
      previous_secret_until: null,
      created_at: null,
      updated_at: null,
    },
  );
  assert.deepEqual((await customer.get(`${PATH}/${id}`)).body, shown);
  assert.deepEqual((await customer.get(PATH)).body['webhooks'], [shown]);

  const changed = await ask('PATCH', `${PATH}/${id}`, { enabled: false, event_types: null });
  assert.deepEqual(
    [changed.body['enabled'], changed.body['event_types'], changed.body['description']],
    [false, null, 'mine'],
  );
  const test = await ask('POST', `${PATH}/${id}/test`);
  assert.deepEqual([test.status, test.body.error], [409, 'webhook_disabled']);
  assert.equal((await ask('POST', `${PATH}/${id}/enable`)).body['enabled'], true);

  const rotated = await ask('POST', `${PATH}/${id}/rotate-secret`);
  assert.notEqual(rotated.body['secret'], secret);
  assert.ok(Date.parse(String(rotated.body['previous_secret_until'])) > Date.now() + 23 * 3_600_000);
  for (const path of [PATH, `${PATH}/${id}`])
    assert.doesNotMatch(JSON.stringify((await customer.get(path)).body), /whsec_/);
  const rows = await world.db.query<{ text: string }>({
    name: 'test_secrets',
    text: 'select e::text as text from webhook_endpoints e',
  });
  assert.doesNotMatch(JSON.stringify(rows), /whsec_/);

  assert.deepEqual((await ask('DELETE', `${PATH}/${id}`)).body, { id, deleted: true });
  assert.equal((await customer.get(`${PATH}/${id}`)).status, 404);
  assert.deepEqual((await customer.get(PATH)).body['webhooks'], []);
});

test('what cannot be an endpoint is refused, and nothing of it is stored', async () => {
  const own = await world.customer();
  const stranger = await world.customer();
  const cases: [object, string, string][] = [
    [{}, 'missing_field', 'url'],
    [{ url: 'hooks.example' }, 'invalid_field', 'url'],
    [{ url: 'ftp://hooks.example' }, 'invalid_field', 'url'],
    [{ url: 'https://me:secret@hooks.example' }, 'invalid_field', 'url'],
    [{ url: 'https://hooks.example/#here' }, 'invalid_field', 'url'],
    [{ url: `https://hooks.example/${'x'.repeat(2048)}` }, 'invalid_field', 'url'],
    [{ url: 'https://hooks.example/\0' }, 'invalid_field', 'url'],
    [{ url: 'https://hooks.example/\n\u001b[31m' }, 'invalid_field', 'url'],
    [{ url: ' https://hooks.example/ ' }, 'invalid_field', 'url'],
    [{ url: 'http://127.0.0.1/hook' }, 'invalid_field', 'url'],
    [{ url: 'http://[::1]/hook' }, 'invalid_field', 'url'],
    [{ url: 'http://localhost/hook' }, 'invalid_field', 'url'],
    [{ url: 'http://169.254.169.254/latest/meta-data' }, 'invalid_field', 'url'],
    [{ url: URL, event_types: [] }, 'invalid_field', 'event_types'],
    [{ url: URL, event_types: ['mesage.sent'] }, 'invalid_field', 'event_types.0'],
    [{ url: URL, event_types: ['message.sent', 'message.nothing'] }, 'invalid_field', 'event_types.1'],
    [{ url: URL, sender_ids: [newId()] }, 'invalid_field', 'sender_ids.0'],
    [{ url: URL, sender_ids: [stranger.sender] }, 'invalid_field', 'sender_ids.0'],
    [{ url: URL, conversation_ids: ['nothing'] }, 'invalid_field', 'conversation_ids.0'],
    [{ url: URL, conversation_ids: ['a\0b'] }, 'invalid_field', 'conversation_ids.0'],
    [{ url: URL, secret: 'whsec_AAAA' }, 'unknown_field', 'secret'],
    [{ url: URL, ordered: 'yes' }, 'invalid_field', 'ordered'],
  ];
  for (const [body, error, field] of cases) {
    const answer = await ask('POST', PATH, body, own.key);
    assert.deepEqual(
      [answer.status, answer.body.error, answer.body.details?.field],
      [400, error, field],
      `${JSON.stringify(body).slice(0, 100)}: ${answer.body.message}`,
    );
  }
  assert.deepEqual((await own.get(PATH)).body['webhooks'], []);
  for (const url of ['http://10.1.2.3/hook', 'http://localhost:4000/hook']) {
    const { message } = (await own.post(PATH, { url })).body;
    assert.match(
      String(message),
      /outgoing\.allowed_networks.*webhooks_out\.allow_private/,
      'it says what would let it',
    );
  }
  const made = await own.post(PATH, { url: URL });
  const change = await ask('PATCH', `${PATH}/${made.body.id}`, { url: 'http://10.0.0.1' }, own.key);
  assert.deepEqual([change.status, change.body.details?.field], [400, 'url']);
  for (const body of [
    {},
    { since: 'yesterday' },
    { since: '2999-01-01T00:00:00Z' },
    { since: '2026-01-02T00:00:00Z', until: '2026-01-01T00:00:00Z' },
    { since: '2026-01-02T00:00:00Z', only_failed: 1 },
  ]) {
    assert.equal(
      (await ask('POST', `${PATH}/${made.body.id}/replay`, body, own.key)).status,
      400,
      JSON.stringify(body),
    );
  }
  for (const since of ['0000-01-01T00:00:00Z', '1960-01-01T00:00:00Z', '2026-01-01T00:00:00.123456789+14:00']) {
    const other = (await own.post(PATH, { url: URL })).body.id;
    for (const only_failed of [true, false]) {
      const begun = await ask('POST', `${PATH}/${other}/replay`, { since, only_failed }, own.key);
      assert.ok([202, 400, 409].includes(begun.status), `${since}: ${JSON.stringify(begun.body)}`);
    }
    await ask('DELETE', `${PATH}/${other}`, undefined, own.key);
  }
  for (const query of ['state=gone', 'cursor=x', 'limit=0', 'what=1']) {
    assert.equal((await own.get(`${PATH}/${made.body.id}/deliveries?${query}`)).status, 400, query);
  }
  for (let i = 1; i < 20; i++) assert.equal((await own.post(PATH, { url: URL })).status, 201);
  const more = await own.post(PATH, { url: URL });
  assert.deepEqual([more.status, more.body.error], [409, 'too_many_webhooks']);
});

test('deliveries are listed by state and type, page by page, and only by their own endpoint', async () => {
  const [one, two] = [(await customer.post(PATH, { url: URL })).body, (await customer.post(PATH, { url: URL })).body];
  const made: string[] = [];
  for (let i = 0; i < 5; i++) made.unshift((await ask('POST', `${PATH}/${one.id}/test`)).body.id);
  const paged: string[] = [];
  let cursor = '';
  do {
    const { body } = await customer.get(
      `${PATH}/${one.id}/deliveries?limit=2&state=pending&event_type=webhook.test${cursor}`,
    );
    paged.push(...(body['deliveries'] as { id: string }[]).map(({ id }) => id));
    cursor = body.next_cursor === null ? '' : `&cursor=${body.next_cursor}`;
  } while (cursor !== '');
  assert.deepEqual(paged, made);
  for (const query of ['state=delivered', 'state=failed', 'event_type=message.sent']) {
    assert.deepEqual((await customer.get(`${PATH}/${one.id}/deliveries?${query}`)).body['deliveries'], [], query);
  }
  const { body } = await customer.get(`${PATH}/${one.id}/deliveries/${made[0]}`);
  assert.deepEqual([body.state, body['attempts'], body['kind']], ['pending', [], 'test']);
  // What came of it: two tries, the second of which went well.
  const [at, took_ms] = [new Date('2026-12-01T08:00:00.000Z'), 12];
  await world.db.query(
    {
      name: 'test_try',
      text: 'insert into webhook_attempts values ((select tenant_id from webhook_endpoints where id = $1), $1, $2, 1, $3, $4, 500, $5, $6)',
    },
    [one.id, made[0], at, took_ms, 'it answered 500', 'no'],
  );
  await world.db.query(
    {
      name: 'test_delivered',
      text: `update webhook_deliveries set state = 'delivered', due_at = null, ended_at = $2, tries = 2, tried_at = $2, took_ms = $3,
        status = 204 where id = $1`,
    },
    [made[0], at, took_ms],
  );
  const done = (await customer.get(`${PATH}/${one.id}/deliveries/${made[0]}`)).body;
  const started_at = at.toISOString();
  assert.deepEqual([done.state, done['tries'], done['http_status'], done['next_try_at']], ['delivered', 2, 204, null]);
  assert.deepEqual(done['attempts'], [
    { attempt: 1, started_at, took_ms, http_status: 500, detail: 'it answered 500', answer: 'no' },
    { attempt: 2, started_at, took_ms, http_status: 204, detail: null, answer: null },
  ]);
  assert.equal((await customer.get(`${PATH}/${two.id}/deliveries/${made[0]}`)).status, 404);
  assert.equal((await ask('POST', `${PATH}/${two.id}/deliveries/${made[0]}/replay`)).status, 404);
  const stranger = await world.customer();
  const theirs = (await stranger.post(PATH, { url: URL })).body.id;
  for (const path of [
    `${one.id}/deliveries`,
    `${one.id}/deliveries/${made[0]}`,
    `${theirs}/deliveries/${made[0]}`,
    `${one.id}/replays`,
  ]) {
    assert.equal((await stranger.get(`${PATH}/${path}`)).status, 404, path);
  }
  const again = await ask('POST', `${PATH}/${one.id}/replay`, { since: new Date(Date.now() - 60_000).toISOString() });
  assert.equal(again.status, 202, again.body.message);
  const busy = await ask('POST', `${PATH}/${one.id}/replay`, { since: new Date(Date.now() - 60_000).toISOString() });
  assert.deepEqual([busy.status, busy.body.error], [409, 'replay_runs']);
  assert.equal(((await customer.get(`${PATH}/${one.id}/replays`)).body['replays'] as object[]).length, 1);
});
