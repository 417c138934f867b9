import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import { createSenders } from '../../src/actions/senders.ts';
import { place } from '../../src/actions/set-up.ts';
import { createTenants } from '../../src/actions/tenants.ts';
import { numberCheck } from '../../src/channels/whatsapp/number-check.ts';
import type { Connection, ConnectionCheck } from '../../src/domain/connection.ts';
import type { TenantId } from '../../src/domain/ids.ts';
import { createCheckSenders } from '../../src/jobs/check-senders.ts';
import { createSealer } from '../../src/runtime/sealer.ts';
import { findSenderRecord, type SenderRecord } from '../../src/store/sender-records.read.ts';
import { startProvider } from '../boot/program.ts';
import { type EngineWorld, engineWorld, newPhone } from '../engine-world.ts';
import { until } from '../until.ts';

const sealer = createSealer([{ version: 1, key: Buffer.alloc(32, 1) }]);
let world: EngineWorld;
let tenant: TenantId;
before(async () => {
  world = await engineWorld();
  const made = await createTenants(world).create({ name: 'test' });
  assert.ok(typeof made === 'object');
  tenant = made.id;
});
after(() => world.close());

const senders = () => createSenders({ ...world, sealer });
let numbers = 500_000;

async function newSender(access_token: string, phone_number_id = String(++numbers)): Promise<SenderRecord> {
  const number = { phone: newPhone(), account_id: '20001', phone_number_id, access_token };
  const made = await senders().create(tenant, number);
  assert.ok(typeof made === 'object', String(made));
  return made;
}

async function read(id: string): Promise<SenderRecord> {
  const found = await findSenderRecord(world.db, tenant, id);
  assert.ok(found);
  return found;
}

interface Job {
  logged: string[];
  /** Stops it, and leaves no sender for the next test. */
  end(): Promise<void>;
}

async function startJob(t: TestContext, channel: ConnectionCheck, every = 60_000): Promise<Job> {
  const logged: string[] = [];
  const log = (about: object, text?: string) => void logged.push(`${text} ${JSON.stringify(about)}`);
  const job = createCheckSenders({
    ...world,
    logger: { info: log, warn: log },
    channel,
    openToken: (number) => sealer.open(number.access_token_sealed, place.accessToken(number.tenant_id, number.id)),
    every,
    look: 10,
  });
  const end = async () => {
    await job.stop();
    await world.db.script(`delete from senders where tenant_id = '${tenant}'`);
  };
  t.after(end);
  await job.start();
  return { logged, end };
}

const saying = (said: () => Connection): ConnectionCheck => ({ check: async () => said() });

test('WhatsApp is asked about a new number and a new token at once, and the answer is kept', async (t) => {
  const origin = await startProvider(t).ready;
  const control = (path: string, body?: object) =>
    fetch(`${origin}/_simulator/${path}`, { ...(body && { method: 'POST', body: JSON.stringify(body) }) });
  const { numbers: known } = (await (await control('numbers')).json()) as { numbers: { phone_number_id: string }[] };
  await control('tokens', { revoke: 'EAAold' });
  const { logged } = await startJob(t, numberCheck({ origin, version: 'v26.0', timeout: 2000 }));

  const { id } = await newSender('EAAgood', known[0]?.phone_number_id);
  await until('it is connected', async () => (await read(id)).connected === true);
  const good = await read(id);
  assert.equal(good.connection_detail, null);
  assert.ok(good.connection_checked_at instanceof Date);

  await senders().change(tenant, id, { access_token: 'EAAold' });
  await until('it is not connected', async () => (await read(id)).connected === false);
  assert.match(String((await read(id)).connection_detail), /access token .* new access_token \(error 190\)/);
  assert.match(logged.join('\n'), /a number is not connected, and accepts nothing/);

  await senders().change(tenant, id, { access_token: 'EAAnew' });
  await until('it is connected again', async () => (await read(id)).connected === true);
  assert.equal((await read(id)).connection_detail, null);

  const nobody = await newSender('EAAgood', '999999999');
  await until('an unknown number is told of', async () => (await read(nobody.id)).connection_detail !== null);
  assert.match(String((await read(nobody.id)).connection_detail), /there is no such phone_number_id/);
  assert.equal((await read(nobody.id)).connected, null);
  assert.doesNotMatch(logged.join('\n'), /EAA/);
});

test('a number is asked about again from time to time; whoever waits for a change is told', async (t) => {
  let said: Connection = { kind: 'connected', phone: null };
  let told = 0;
  t.after(world.signals.listen('senders', () => void told++));
  await startJob(
    t,
    saying(() => said),
    20,
  );
  const { id } = await newSender('x');
  await until('connected', async () => (await read(id)).connected === true);
  said = { kind: 'not_connected', detail: 'the account is locked' };
  await until('not connected', async () => (await read(id)).connected === false);
  assert.equal((await read(id)).connection_detail, 'the account is locked');
  const tended = {
    name: 'test_tended',
    text: 'select tend_until from senders where id = $1 and tend_until is not null',
  };
  assert.equal((await world.db.query(tended, [id])).length, 0);
  said = { kind: 'connected', phone: null };
  await until('connected again', async () => (await read(id)).connected === true);
  await until('what waited for it goes on', async () => (await world.db.query(tended, [id])).length === 1);
  await until('whoever waits is told of each change', () => told >= 4);
});

test('an answer that tells nothing changes nothing: an outage of WhatsApp closes no door', async (t) => {
  let said: Connection = { kind: 'connected', phone: null };
  await startJob(
    t,
    saying(() => said),
    20,
  );
  const { id } = await newSender('x');
  await until('connected', async () => (await read(id)).connected === true);
  said = { kind: 'unknown', detail: 'HTTP 502' };
  await until('asked', async () => (await read(id)).connection_detail === 'HTTP 502');
  assert.equal((await read(id)).connected, true);
});

test('a disabled number and a webhook are not asked about; of two instances one asks', async (t) => {
  const asked: string[] = [];
  const channel: ConnectionCheck = {
    async check({ phone_number_id }) {
      asked.push(phone_number_id);
      return { kind: 'connected', phone: null };
    },
  };
  const made = await Promise.all(Array.from({ length: 25 }, () => newSender('x')));
  const disabled = await newSender('x');
  await senders().change(tenant, disabled.id, { enabled: false });
  const webhook = await senders().create(tenant, { channel: 'webhook', webhook_url: 'http://h.example', name: 'hook' });
  assert.ok(typeof webhook === 'object');
  await Promise.all([startJob(t, channel), startJob(t, channel)]);
  await until('all are asked about', async () => {
    const states = await Promise.all(made.map(({ id }) => read(id)));
    return states.every(({ connected }) => connected === true);
  });
  assert.deepEqual(asked.toSorted(), made.map(({ phone_number_id }) => phone_number_id).toSorted());
  assert.equal((await read(disabled.id)).connection_checked_at, null);
  assert.equal((await read(webhook.id)).connection_checked_at, null);
  await senders().change(tenant, disabled.id, { enabled: true });
  await until('enabled, it is asked about', async () => (await read(disabled.id)).connected === true);
});

test('an answer to a token that was replaced meanwhile is dropped', async (t) => {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<Connection>();
  let calls = 0;
  const channel: ConnectionCheck = {
    check() {
      calls++;
      asked.resolve();
      return calls === 1 ? answer.promise : Promise.resolve({ kind: 'connected', phone: null });
    },
  };
  await startJob(t, channel);
  const { id } = await newSender('old');
  await asked.promise;
  await senders().change(tenant, id, { access_token: 'new' });
  answer.resolve({ kind: 'not_connected', detail: 'the old token' });
  await until('the new one is asked about', async () => (await read(id)).connected === true);
  assert.equal((await read(id)).connection_detail, null);
});
