import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { stepRedrives } from '../../src/actions/redrives.ts';
import { newId } from '../../src/domain/ids.ts';
import { NO_CAPS } from '../../src/domain/limits.ts';
import { newPhone } from '../engine-world.ts';
import { type Customer, type DoorWorld, doorWorld } from './door-world.ts';

let world: DoorWorld;
let customer: Customer;
before(async () => {
  world = await doorWorld();
  customer = await world.customer();
});
after(() => world.close());

/** A message that failed, as if an attempt of it had been refused; in doubt: as a policy tells it. */
async function failed(code: number, doubtful = false): Promise<string> {
  const { body } = await customer.post('/api/v1/messages', { to: newPhone(), content: { text: 'Hi' } });
  const error = { error: doubtful ? 'outcome_unknown' : 'send_failed', code, title: `error ${code}`, detail: null };
  await world.db.transaction(async (tx) => {
    await tx.query({ name: 'test_due', text: 'delete from due where message_id = $1' }, [body.id]);
    await tx.query(
      {
        name: 'test_attempt',
        text: 'insert into attempts (tenant_id, message_id, attempt, started_at, outcome) values ($1, $2, 1, now(), $3)',
      },
      [customer.tenant, body.id, doubtful ? 'tell' : 'refused'],
    );
    await tx.query(
      {
        name: 'test_failed',
        text: `update messages set state = 'failed', attempt = 1, failed_at = now(), error = $2 where id = $1`,
      },
      [body.id, JSON.stringify(error)],
    );
  });
  return body.id;
}

async function remove({ key }: Customer, id: string): Promise<{ status: number; body: { state?: string } }> {
  const options = { method: 'DELETE', headers: { 'x-api-key': key } };
  const response = await fetch(`${world.url}/api/v1/redrives/${id}`, options);
  return { status: response.status, body: (await response.json()) as { state?: string } };
}

const states = async (ids: readonly string[]) =>
  Promise.all(ids.map(async (id) => (await customer.get(`/api/v1/messages/${id}`)).body['state']));

test('failed messages are listed by reason, those of a reason by the list of messages, and sent again by filter', async () => {
  const ids = [await failed(131026), await failed(131026)];
  const doubtful = await failed(0, true);
  const list = await customer.get('/api/v1/dead-letters');
  assert.equal(list.status, 200);
  const groups = list.body['dead_letters'] as Record<string, unknown>[];
  assert.deepEqual(
    groups.map(({ oldest, newest, ...group }) => ({ ...group, times: [typeof oldest, typeof newest] })),
    [
      {
        error: 'send_failed',
        code: 131026,
        title: 'error 131026',
        count: 2,
        uncertain: 0,
        capped: false,
        times: ['string', 'string'],
      },
      {
        error: 'outcome_unknown',
        code: 0,
        title: 'error 0',
        count: 1,
        uncertain: 1,
        capped: false,
        times: ['string', 'string'],
      },
    ],
  );
  const narrowed = await customer.get(
    `/api/v1/dead-letters?error_code=0&sender_id=${customer.sender}&since=2020-01-01`,
  );
  assert.equal((narrowed.body['dead_letters'] as unknown[]).length, 1);
  assert.deepEqual((await customer.get('/api/v1/dead-letters?sender_id=nobody')).body['dead_letters'], []);
  const messages = await customer.get('/api/v1/messages?error=send_failed&error_code=131026&page=1');
  assert.equal(messages.body['total'], 2);
  assert.deepEqual(
    (messages.body['messages'] as { id: string }[]).map(({ id }) => id),
    [...ids].reverse(),
  );

  const asked = { filter: { error_code: 131026 }, per_second: 1000 };
  const made = await customer.post('/api/v1/dead-letters/redrive', asked);
  assert.equal(made.status, 202);
  const shown = {
    state: 'running',
    per_second: 1000,
    include_uncertain: false,
    queued: 0,
    skipped: 0,
    skipped_reasons: {},
  };
  const { id, filter, key_id, created_at, ended_at, ...rest } = made.body as Record<string, unknown>;
  assert.deepEqual([rest, filter, ended_at], [shown, { error_code: 131026 }, null]);
  assert.ok(typeof id === 'string' && typeof key_id === 'string' && created_at);
  while ((await stepRedrives(world, NO_CAPS)) !== null);
  const done = await customer.get(`/api/v1/redrives/${id}`);
  assert.deepEqual([done.body['state'], done.body['queued']], ['done', 2]);
  assert.deepEqual(await states([...ids, doubtful]), ['queued', 'queued', 'failed']);
  assert.equal(((await customer.get('/api/v1/redrives?limit=1')).body['redrives'] as unknown[]).length, 1);
  assert.equal((await remove(customer, id)).status, 409);
  assert.equal((await remove(customer, newId())).status, 404);
  assert.equal((await customer.get('/api/v1/redrives/nothing')).status, 404);

  const all = await customer.post('/api/v1/dead-letters/redrive', { filter: {} });
  while ((await stepRedrives(world, NO_CAPS)) !== null);
  const left = await customer.get(`/api/v1/redrives/${all.body.id}`);
  assert.deepEqual([left.body['skipped'], left.body['skipped_reasons']], [1, { may_have_arrived: 1 }]);
});

test('one that may have arrived is sent again when the request says so', async () => {
  const id = await failed(0, true);
  for (const body of [undefined, {}, { accept_duplicate: false }]) {
    const refused = await customer.post(`/api/v1/messages/${id}/retry`, body);
    assert.deepEqual([refused.status, refused.body.error], [409, 'may_have_arrived']);
  }
  const wrong = await customer.post(`/api/v1/messages/${id}/retry`, { accept_duplicates: true });
  assert.deepEqual([wrong.status, wrong.body.error], [400, 'unknown_field']);
  const key = { 'idempotency-key': newId() };
  const path = `/api/v1/messages/${id}/retry`;
  assert.equal((await customer.post(path, {}, key)).status, 409);
  const queued = await customer.post(path, { accept_duplicate: true }, key);
  assert.deepEqual([queued.status, queued.body['state']], [202, 'queued']);
  assert.equal(
    (await customer.post(path, { accept_duplicate: true }, key)).status,
    202,
    'a repeat is answered the same',
  );
  assert.equal((await customer.post(path, {}, key)).status, 422);
});

test('a redrive that is asked for wrongly is refused, and nothing of it is stored', async () => {
  const wrong: [body: object, status: number, error: string][] = [
    [{}, 400, 'missing_field'],
    [{ filter: {}, per_second: 0 }, 400, 'invalid_field'],
    [{ filter: {}, per_second: 1001 }, 400, 'invalid_field'],
    [{ filter: {}, per_second: '10' }, 400, 'invalid_field'],
    [{ filter: {}, every: true }, 400, 'unknown_field'],
    [{ filter: { code: 1 } }, 400, 'unknown_field'],
    [{ filter: { since: 'yesterday' } }, 400, 'invalid_field'],
    [{ filter: { since: '2026-12-02', until: '2026-12-01' } }, 400, 'invalid_field'],
    [{ filter: { sender_id: 'nobody' } }, 404, 'not_found'],
    [{ filter: { error: 'DROP TABLE' } }, 400, 'invalid_field'],
  ];
  const count = async () => ((await customer.get('/api/v1/redrives')).body['redrives'] as unknown[]).length;
  const before = await count();
  for (const [body, status, error] of wrong) {
    const answer = await customer.post('/api/v1/dead-letters/redrive', body);
    assert.deepEqual([answer.status, answer.body.error], [status, error], JSON.stringify(body));
  }
  for (const field of ['sender_id', 'batch_id']) {
    const { body } = await customer.post('/api/v1/dead-letters/redrive', { filter: { [field]: 'nobody' } });
    assert.deepEqual([body.error, body.details?.field], ['not_found', `filter.${field}`]);
  }
  assert.equal(await count(), before);
  assert.equal((await customer.get('/api/v1/dead-letters?error_code=x')).status, 400);
  assert.equal((await customer.get('/api/v1/messages?error=X')).status, 400);
});

test('three redrives run at once, and one that is cancelled makes room', async () => {
  const one = await world.customer();
  const made: string[] = [];
  for (let n = 0; n < 3; n++) made.push((await one.post('/api/v1/dead-letters/redrive', { filter: {} })).body.id);
  const busy = await one.post('/api/v1/dead-letters/redrive', { filter: {} });
  assert.deepEqual([busy.status, busy.body.error], [429, 'redrives_busy']);
  const cancelled = await remove(one, made[0] ?? '');
  assert.deepEqual([cancelled.status, cancelled.body.state], [200, 'cancelled']);
  assert.equal((await one.post('/api/v1/dead-letters/redrive', { filter: {} })).status, 202);
});
