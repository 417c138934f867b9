import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { createSenderDirectory } from '../../src/access/sender-directory.ts';
import { place } from '../../src/actions/set-up.ts';
import { buildTenantService } from '../../src/boot/tenant-service.ts';
import type { SenderId } from '../../src/domain/ids.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { type FakeTenantService, fakeTenantService } from '../outside/fake-tenant-service.ts';
import { type Customer, type DoorWorld, doorWorld, SEALER } from './door-world.ts';

let world: DoorWorld;
let fake: FakeTenantService;
let asking: NonNullable<ReturnType<typeof buildTenantService>>;
before(async () => {
  fake = await fakeTenantService();
  world = await doorWorld({
    quota: { check: (tenant) => asking.quota.check(tenant) },
    senders: {
      known: (tenant, reference) => asking.senders.known(tenant, reference),
      resolve: (tenant, references) => asking.senders.resolve(tenant, references),
      find: (tenant, references) => asking.senders.find(tenant, references),
      forget: () => asking.senders.forget(),
    },
  });
});
after(async () => {
  await world.close();
  await fake.down();
});

const LOGGER = createLogger({
  log: { level: 'fatal', format: 'json' },
  environment: 'development',
  service: { name: 'test' },
});
const YES = { body: { can_send_message: true, reason: '' } };
const NO = { body: { can_send_message: false, reason: 'monthly' } };
const HTML = { status: 502, body: '<html>Bad Gateway</html>' };
const text = { to: '+6281234567890', content: { text: 'Hi' } };

/** Asks anew, with nothing remembered: as after the time that answers are believed. */
function forgetAnswers(change: { when_down?: 'allow' | 'refuse'; timeout?: number } = {}): void {
  const { db, signals } = world;
  const senders = createSenderDirectory({ db, clock: systemClock });
  signals.listen('senders', senders.forget);
  const tenant_service = { url: fake.url, timeout: 5000, cache: 3_600_000, when_down: 'allow' as const, ...change };
  const built = buildTenantService(
    { tenant_service },
    { db, signals, clock: systemClock, logger: LOGGER, sealer: SEALER, senders },
  );
  asking = built ?? assert.fail('it was not built');
  fake.asked.length = 0;
}

function outlet(name: string, number = randomBytes(6).toString('hex'), token = 'EAAG') {
  return { body: { id: name, waba_phone_number_id: number, waba_access_token: token, can_send_message: true } };
}

interface Row {
  id: SenderId;
  external_id: string | null;
  phone_number_id: string;
  token: string;
  phone: string | null;
  is_default: boolean;
}

/** The senders of a customer beside its first one. */
async function made({ tenant, sender }: Customer): Promise<Row[]> {
  const rows = await world.db.query<Row & { access_token_sealed: Buffer }>(
    { name: 'test_made', text: 'select * from senders where tenant_id = $1 and id <> $2' },
    [tenant, sender],
  );
  return rows.map(({ id, external_id, phone_number_id, phone, is_default, access_token_sealed }) => {
    const token = SEALER.open(access_token_sealed, place.accessToken(tenant, id));
    return { id, external_id, phone_number_id, token, phone, is_default };
  });
}

test('an outlet that nobody here knows becomes a sender, once for all who ask at once', async () => {
  const customer = await world.customer();
  forgetAnswers();
  fake.answer(outlet('outlet 7', '12345', 'EAAG1'));
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => customer.post('/api/v1/messages', { ...text, sender_id: 'outlet 7' })),
  );
  const [sender] = await made(customer);
  assert.deepEqual(
    new Set(answers.map(({ status, body }) => `${status} ${body['sender_id']}`)),
    new Set([`202 ${sender?.id}`]),
  );
  assert.deepEqual(sender, {
    id: sender?.id,
    external_id: 'outlet 7',
    phone_number_id: '12345',
    token: 'EAAG1',
    phone: null,
    is_default: false,
  });
  assert.deepEqual(fake.asked.toSorted(), [
    `GET /api/v1/outlets/outlet%207 as ${customer.tenant}`,
    `GET /api/v1/tenants/${customer.tenant}/quota/check as ${customer.tenant}`,
  ]);
  assert.equal((await customer.post('/api/v1/messages', { ...text, sender_id: sender?.id })).status, 202);
});

test('a tenant is called by its external id, and our own senders are nobody’s question', async () => {
  const customer = await world.customer();
  const named = 'update tenants set external_id = $2 where id = $1';
  await world.db.query({ name: 'test_name', text: named }, [customer.tenant, 'acme']);
  forgetAnswers();
  fake.answer(YES);
  assert.equal((await customer.post('/api/v1/messages', text)).status, 202);
  assert.equal((await customer.post('/api/v1/messages', { ...text, sender_id: customer.sender })).status, 202);
  assert.deepEqual(fake.asked, ['GET /api/v1/tenants/acme/quota/check as acme']);
});

test('an outlet that is unknown there too is 404, also in a batch', async () => {
  const customer = await world.customer();
  forgetAnswers();
  fake.answer({ status: 404, body: { error: 'not_found' } });
  const refused = await customer.post('/api/v1/messages', { ...text, sender_id: 'nobody' });
  assert.deepEqual([refused.status, refused.body.error], [404, 'unknown_sender']);
  fake.answer(YES);
  const batch = await customer.post('/api/v1/messages/batch', { messages: [{ ...text, sender_id: 'nobody' }, text] });
  assert.deepEqual([batch.status, batch.body.accepted, batch.body.errors[0]?.error], [202, 1, 'unknown_sender']);
  assert.equal(fake.asked.filter((asked) => asked.includes('outlets')).length, 1, 'it is remembered');
  assert.deepEqual(await made(customer), []);
});

test('who only reads makes no sender, and needs no service', async () => {
  const customer = await world.customer();
  forgetAnswers();
  fake.answer(outlet('unread'));
  const list = await customer.get('/api/v1/messages?sender_id=unread');
  assert.deepEqual([list.status, list.body.messages], [200, []]);
  assert.deepEqual([fake.asked, await made(customer)], [[], []]);
});

test('a changed token or number is taken over, and the sender stays what it is', async () => {
  const customer = await world.customer();
  const send = () => customer.post('/api/v1/messages', { ...text, sender_id: 'o' });
  forgetAnswers();
  fake.answer(outlet('o', 'n1', 'old'));
  await send();
  const [before] = await made(customer);
  for (const [number, token] of [
    ['n1', 'new'],
    ['n2', 'newer'],
  ] as const) {
    forgetAnswers();
    fake.answer(outlet('o', number, token));
    assert.equal((await send()).status, 202);
    assert.deepEqual(await made(customer), [{ ...before, phone_number_id: number, token }]);
  }
});

test('while the service is away, known outlets send, others are 503, and back again they are found', async () => {
  const customer = await world.customer();
  const send = (sender_id: string) => customer.post('/api/v1/messages', { ...text, sender_id });
  forgetAnswers();
  fake.answer(outlet('known'));
  await send('known');
  await fake.down();
  forgetAnswers();
  const known = await send('known');
  assert.deepEqual([known.status, known.body['warnings']], [202, ['quota_unchecked']]);
  const unknown = await send('another');
  assert.deepEqual([unknown.status, unknown.body.error], [503, 'unavailable']);
  await fake.up();
  forgetAnswers();
  fake.answer(outlet('another'));
  assert.equal((await send('another')).status, 202);
});

test('a number is one sender: another tenant’s is not taken, an own one is used and keeps its token', async () => {
  const [customer, other] = [await world.customer(), await world.customer()];
  const sealed = SEALER.seal('own token', place.accessToken(customer.tenant, customer.sender));
  const update = 'update senders set access_token_sealed = $2 where id = $1';
  await world.db.query({ name: 'test_seal', text: update }, [customer.sender, sealed]);
  forgetAnswers();
  fake.answer(outlet('theirs', other.phoneNumberId));
  assert.equal((await customer.post('/api/v1/messages', { ...text, sender_id: 'theirs' })).status, 404);
  for (const name of ['ours', 'ours too']) {
    fake.answer(outlet(name, customer.phoneNumberId, 'another-token'));
    for (let i = 0; i < 2; i++) {
      const answer = await customer.post('/api/v1/messages', { ...text, sender_id: name });
      assert.deepEqual([answer.status, answer.body['sender_id']], [202, customer.sender]);
    }
  }
  assert.deepEqual(await made(customer), []);
  const read = 'select external_id, access_token_sealed from senders where id = $1';
  const [row] = await world.db.query<{ external_id: string; access_token_sealed: Buffer }>(
    { name: 'test_read', text: read },
    [customer.sender],
  );
  assert.equal(row?.external_id, 'ours');
  assert.deepEqual(row.access_token_sealed, sealed);
});

test('without quota nothing is accepted, in the documented words; what was accepted before is answered again', async () => {
  const customer = await world.customer();
  forgetAnswers();
  fake.answer(YES);
  const key = { 'idempotency-key': 'k' };
  const first = await customer.post('/api/v1/messages', text, key);
  forgetAnswers();
  fake.answer(NO);
  const refused = await customer.post('/api/v1/messages', text);
  const { error, message, code } = refused.body;
  assert.deepEqual(
    [refused.status, error, message, code],
    [
      429,
      'quota_exceeded',
      'Message quota exceeded. Please upgrade your plan or wait for quota reset.',
      'QUOTA_EXCEEDED',
    ],
  );
  const again = await customer.post('/api/v1/messages', text, key);
  assert.deepEqual([again.status, again.body.id], [202, first.body.id]);
  const batch = await customer.post('/api/v1/messages/batch', { messages: [text, text] });
  assert.deepEqual([batch.status, batch.body.error], [429, 'quota_exceeded']);
  const count = 'select count(*)::int as n from messages where tenant_id = $1';
  const [stored] = await world.db.query<{ n: number }>({ name: 'test_stored', text: count }, [customer.tenant]);
  assert.equal(stored?.n, 1);
});

test('a service that answers nonsense or nothing lets messages pass with a warning, or none where that is set', async () => {
  const customer = await world.customer();
  const batch = { messages: [text] };
  for (const reply of [HTML, { body: { can_send_message: 'yes' } }, { ...YES, when: new Promise(() => {}) }]) {
    forgetAnswers({ timeout: 100 });
    fake.answer(reply);
    const answer = await customer.post('/api/v1/messages', text);
    assert.deepEqual([answer.status, answer.body['warnings']], [202, ['quota_unchecked']]);
    const many = await customer.post('/api/v1/messages/batch', batch);
    assert.deepEqual([many.status, many.body['warnings']], [202, ['quota_unchecked']]);
    assert.equal(fake.asked.length, 1, 'that it does not answer is remembered too');
  }
  forgetAnswers({ when_down: 'refuse' });
  fake.answer(HTML);
  for (const [path, body] of [
    ['', text],
    ['/batch', batch],
  ] as const) {
    const answer = await customer.post(`/api/v1/messages${path}`, body);
    assert.deepEqual([answer.status, answer.body.error], [503, 'unavailable']);
  }
});

test('a batch asks once, and one without a good item not at all', async () => {
  const customer = await world.customer();
  forgetAnswers();
  fake.answer(YES);
  await customer.post('/api/v1/messages/batch', { messages: [{ to: 'nobody' }] });
  assert.equal(fake.asked.length, 0);
  const batch = await customer.post('/api/v1/messages/batch', { messages: Array.from({ length: 50 }, () => text) });
  assert.deepEqual([batch.body.accepted, batch.body['warnings'], fake.asked.length], [50, undefined, 1]);
});
