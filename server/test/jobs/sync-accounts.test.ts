import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import { createAccounts, type NewAccount } from '../../src/actions/accounts.ts';
import { createSenders } from '../../src/actions/senders.ts';
import { place } from '../../src/actions/set-up.ts';
import { takeDueAccounts } from '../../src/actions/sync-accounts.ts';
import { createTenants } from '../../src/actions/tenants.ts';
import { accountReader } from '../../src/channels/whatsapp/account-reader.ts';
import type { TenantId } from '../../src/domain/ids.ts';
import { createSyncAccounts } from '../../src/jobs/sync-accounts.ts';
import type { Part } from '../../src/runtime/lifecycle.ts';
import { createSealer } from '../../src/runtime/sealer.ts';
import { type AccountRecord, findAccount } from '../../src/store/accounts.read.ts';
import { listSenderRecords, type SenderRecord } from '../../src/store/sender-records.read.ts';
import { type EngineWorld, engineWorld, newPhone } from '../engine-world.ts';
import { type GraphAccount, type GraphNumber, type GraphServer, graphServer, refusal } from '../graph-server.ts';
import { until } from '../until.ts';

const sealer = createSealer([{ version: 1, key: Buffer.alloc(32, 1) }]);
let world: EngineWorld;
before(async () => {
  world = await engineWorld();
});
after(() => world.close());

let ids = 200_000;
const newNumber = (change: Partial<GraphNumber> = {}): GraphNumber => ({
  id: String(++ids),
  display_phone_number: newPhone(),
  verified_name: 'Shop',
  name_status: 'APPROVED',
  quality_rating: 'GREEN',
  throughput: { level: 'STANDARD' },
  whatsapp_business_manager_messaging_limit: 'TIER_250',
  ...change,
});

interface Stage {
  graph: GraphServer;
  logged: string[];
  tenant: TenantId;
  /** An account that the provider knows. */
  known(change?: Partial<GraphAccount>): { id: string; account: GraphAccount };
  add(account: Partial<NewAccount> & { id: string }): Promise<AccountRecord>;
  read(id: string): Promise<AccountRecord>;
  senders(): Promise<SenderRecord[]>;
  accounts: ReturnType<typeof createAccounts>;
  job(): Part;
}

async function stage(t: TestContext): Promise<Stage> {
  const graph = await graphServer(t);
  const logged: string[] = [];
  const log = (about: object, text?: string) => void logged.push(`${text} ${JSON.stringify(about)}`);
  const job = () => {
    const part = createSyncAccounts({
      ...world,
      logger: { info: log, warn: log },
      reader: accountReader({ origin: graph.origin, version: 'v26.0', timeout: 2000 }),
      sealer,
      open: ({ tenant_id, id, access_token_sealed }) => ({
        access_token: sealer.open(access_token_sealed, place.accountToken(tenant_id, id)),
        app: { meta_id: graph.app.id, secret: graph.app.secret },
      }),
      every: 3_600_000,
      look: 20,
      random: () => 0.5,
    });
    t.after(() => part.stop());
    return part;
  };
  const made = await createTenants(world).create({ name: 'test' });
  assert.ok(typeof made === 'object');
  const accounts = createAccounts({ ...world, sealer });
  const read = async (id: string) => {
    const found = await findAccount(world.db, made.id, id);
    assert.ok(found);
    return found;
  };
  t.after(() => world.db.script("update accounts set sync_due_at = now() + interval '1 day'"));
  await job().start();
  return {
    graph,
    logged,
    tenant: made.id,
    accounts,
    job,
    known(change = {}) {
      const id = String(++ids);
      const account = { name: 'Shop', numbers: [newNumber()], apps: [], ...change };
      graph.accounts.set(id, account);
      return { id, account };
    },
    async add(account) {
      const result = await accounts.create(made.id, { access_token: 'good', ...account });
      assert.ok(typeof result === 'object', String(result));
      await until('it was asked about', async () => (await read(result.id)).checked_at !== null);
      return read(result.id);
    },
    read,
    senders: () => listSenderRecords(world.db, made.id, null, 100),
  };
}

test('an account that is added has its numbers made senders, in the lane of its portfolio', async (t) => {
  const { graph, tenant, known, add, senders } = await stage(t);
  const owner = { id: '506914307656634', name: 'Lucky' };
  const { id, account } = known({
    name: 'Lucky Shrub',
    owner_business_info: owner,
    account_review_status: 'APPROVED',
    numbers: [
      newNumber({ throughput: { level: 'HIGH' } }),
      newNumber({ is_on_biz_app: true }),
      newNumber({ status: 'DELETED' }),
    ],
  });
  const added = await add({ id });
  assert.deepEqual(
    [added.name, added.portfolio_id, added.review_status, added.messaging_limit, added.token_valid, added.subscribed],
    ['Lucky Shrub', owner.id, 'APPROVED', 'TIER_250', true, true],
  );
  assert.deepEqual(
    [added.sync_detail, added.token_detail, added.token_expires_at, added.senders],
    [null, null, null, 2],
  );
  assert.deepEqual(account.apps, [graph.app.id]);
  const [second, first] = (await senders()).toSorted((a, b) =>
    a.messages_per_second < b.messages_per_second ? -1 : 1,
  );
  assert.ok(first && second);
  assert.deepEqual(
    [first.phone, first.portfolio_id, first.throughput, first.messages_per_second, first.quality, first.verified_name],
    [account.numbers[0]?.display_phone_number, owner.id, 'HIGH', 1000, 'GREEN', 'Shop'],
  );
  assert.deepEqual(
    [second.throughput, second.messages_per_second, second.messaging_limit],
    ['COEXISTENCE', 20, 'TIER_250'],
  );
  assert.equal([first, second].filter(({ is_default }) => is_default).length, 1);
  const text = 'select id, access_token_sealed as sealed from senders where tenant_id = $1';
  for (const row of await world.db.query<{ id: SenderRecord['id']; sealed: Buffer }>({ name: 'test_tokens', text }, [
    tenant,
  ])) {
    assert.equal(sealer.open(row.sealed, place.accessToken(tenant, row.id)), 'good');
  }
});

test('what changes is read again, without a second sender; a rate that a person set stays', async (t) => {
  const { tenant, accounts, known, add, read, senders } = await stage(t);
  const { id, account } = known({ numbers: [newNumber(), newNumber()] });
  await add({ id });
  const [one] = await senders();
  assert.ok(one);
  await createSenders({ ...world, sealer }).change(tenant, one.id, { messages_per_second: 7 });
  for (const number of account.numbers) {
    Object.assign(number, { quality_rating: 'RED', throughput: { level: 'HIGH' }, verified_name: 'Shop 2' });
  }
  account.numbers.push(newNumber());
  // Asked for within seconds of the last look, it is not: made so here.
  await world.db.script("update accounts set checked_at = checked_at - interval '1 minute'");
  assert.ok(typeof (await accounts.sync(tenant, id)) === 'object');
  await until('it is read again', async () => (await read(id)).senders === 3);
  const rates = new Map((await senders()).map((sender) => [sender.id, sender]));
  assert.deepEqual(
    [rates.get(one.id)?.messages_per_second, rates.get(one.id)?.quality, rates.get(one.id)?.verified_name],
    [7, 'RED', 'Shop 2'],
  );
  assert.deepEqual(
    [...rates.values()].map((s) => s.messages_per_second).toSorted((a, b) => a - b),
    [7, 80, 1000],
  );
  // Given back to WhatsApp's word.
  const back = await createSenders({ ...world, sealer }).change(tenant, one.id, { messages_per_second: null });
  assert.equal(typeof back === 'object' && back.messages_per_second, 1000);
});

test("numbers are left alone when only facts are wanted, and those that are another tenant's always", async (t) => {
  const { tenant, known, add, senders } = await stage(t);
  const { id, account } = known({ numbers: [newNumber({ throughput: { level: 'HIGH' } }), newNumber()] });
  const [number] = account.numbers;
  assert.ok(number);
  const other = await createTenants(world).create({ name: 'other' });
  assert.ok(typeof other === 'object');
  const theirs = await createSenders({ ...world, sealer }).create(other.id, {
    phone: number.display_phone_number,
    phone_number_id: number.id,
    account_id: '99999',
    access_token: 'good',
  });
  assert.ok(typeof theirs === 'object');
  const added = await add({ id, add_numbers: false });
  assert.deepEqual([added.token_valid, (await senders()).length], [true, 0]);
  const facts = await listSenderRecords(world.db, other.id, null, 10);
  assert.deepEqual(
    facts.map(({ throughput, messages_per_second }) => [throughput, messages_per_second]),
    [['HIGH', 1000]],
  );
  assert.equal(await findAccount(world.db, tenant, '99999'), null);
});

test("a sender made by hand has its account made, once, and its other numbers are nobody's", async (t) => {
  const { tenant, known, read, senders } = await stage(t);
  const { id, account } = known({ numbers: [newNumber(), newNumber()] });
  const [number] = account.numbers;
  assert.ok(number);
  const create = (change: object) =>
    createSenders({ ...world, sealer }).create(tenant, {
      account_id: id,
      access_token: 'good',
      phone: newPhone(),
      ...change,
    });
  assert.ok(typeof (await create({ phone_number_id: number.id })) === 'object');
  await until('it is read', async () => (await read(id)).synced_at !== null);
  assert.deepEqual([(await read(id)).add_numbers, (await senders()).length], [false, 1]);
  assert.ok(typeof (await create({ phone_number_id: String(++ids), portfolio_id: '77777' })) === 'object');
  assert.equal((await read(id)).senders, 2);
});

test('senders from before there were accounts have one made', async (t) => {
  const { tenant, known, read, job } = await stage(t);
  const { id, account } = known();
  const made = await createSenders({ ...world, sealer }).create(tenant, {
    account_id: id,
    access_token: 'good',
    phone: newPhone(),
    phone_number_id: account.numbers[0]?.id ?? '',
  });
  assert.ok(typeof made === 'object');
  await until('it is read', async () => (await read(id)).synced_at !== null);
  await world.db.script(`delete from accounts where id = '${id}'`);
  await job().start();
  await until('it is made again', async () => (await findAccount(world.db, tenant, id))?.token_valid === true);
});

test('a token that is no good is told, and another one mends it', async (t) => {
  const { graph, tenant, accounts, known, add, read, senders, logged } = await stage(t);
  const { id } = known();
  const added = await add({ id, access_token: 'bad' });
  assert.deepEqual([added.token_valid, added.synced_at, added.senders], [false, null, 0]);
  assert.match(added.token_detail ?? '', /give the account a new one \(error 190\)/);
  assert.ok(typeof (await accounts.change(tenant, id, { access_token: 'good' })) === 'object');
  await until('it is read', async () => (await read(id)).token_valid === true);
  assert.deepEqual([(await read(id)).token_detail, (await senders()).length], [null, 1]);
  graph.tokens.set('good', Math.floor(Date.now() / 1000) + 86_400);
  await accounts.change(tenant, id, { subscribe: true });
  await until('it is told', () => logged.some((line) => /expires soon/.test(line)));
  assert.ok(((await read(id)).token_expires_at?.getTime() ?? 0) > Date.now());
  assert.doesNotMatch(logged.join('\n'), /"bad"|"good"/);
});

test('an outage and too many questions change nothing that is known, and are asked about again later', async (t) => {
  const { graph, tenant, accounts, known, add, read, senders } = await stage(t);
  const { id } = known();
  await add({ id });
  const next = async () => {
    const text = 'select extract(epoch from sync_due_at - now())::float8 as s from accounts where id = $1';
    return (await world.db.query<{ s: number }>({ name: 'test_next', text }, [id]))[0]?.s ?? 0;
  };
  assert.ok(Math.abs((await next()) - 3600) < 60, String(await next()));
  for (const [body, seconds, detail] of [
    [{ status: 502, body: {} }, 5, /HTTP 502/],
    [refusal(80007), 900, /asked again later/],
  ] as const) {
    graph.instead = () => body;
    await accounts.change(tenant, id, { add_numbers: true });
    await until('it was asked', async () => detail.test((await read(id)).sync_detail ?? ''));
    const now = await read(id);
    assert.deepEqual([now.token_valid, now.name, now.messaging_limit], [true, 'Shop', 'TIER_250']);
    const wait = await next();
    assert.ok(wait > seconds / 2 && wait < seconds * 1.5, String(wait));
  }
  assert.equal((await senders()).length, 1);
});

test('of two instances one asks; an answer to a token that was replaced meanwhile is dropped', async (t) => {
  const { graph, tenant, accounts, known, add, read, job } = await stage(t);
  await job().start();
  const { id } = known();
  await add({ id });
  assert.equal(graph.asked.filter(({ what }) => what === `GET /${id}`).length, 1);
  graph.tokens.set('other', 0);
  let changed: Promise<unknown> | undefined;
  graph.instead = (what) => {
    // While the old token is asked about, another one is given.
    if (what === `GET /${id}`) changed ??= accounts.change(tenant, id, { access_token: 'other' });
    return changed && graph.asked.at(-1)?.token === 'good' ? refusal(190) : undefined;
  };
  await accounts.change(tenant, id, { add_numbers: true });
  await until('the new one is asked about', () => graph.asked.some(({ token }) => token === 'other'));
  await changed;
  await until('its answer is written', async () => (await read(id)).token_valid === true);
  assert.equal((await read(id)).token_detail, null);
});

test('a portfolio that becomes known moves its senders to its lane, with the work that is due and that falls back', async (t) => {
  const { accounts, known } = await stage(t);
  const own = await world.tenant();
  const { id, account } = known({ owner_business_info: { id: String(++ids), name: 'p' }, numbers: [] });
  account.numbers.push(newNumber({ id: String(++ids) }));
  const [number] = account.numbers;
  await world.db.script(
    `update senders set phone_number_id = '${number?.id}', account_id = '${id}', previous_lane_id = null where id = '${own.sender}'`,
  );
  const waiting = await own.accept();
  const second = await own.accept();
  const begun = await own.begin();
  const sendOf = (id: string) => {
    const send = begun.find(({ message_id }) => message_id === id);
    assert.ok(send);
    return send;
  };
  const later = await own.accept({ scheduled_at: Date.now() + 3_600_000 });
  assert.ok(typeof (await accounts.create(own.tenant, { id, access_token: 'good', add_numbers: false })) === 'object');
  const where = async () => {
    const text = `
select d.message_id, d.lane_id = s.lane_id as own, d.state from due d join senders s on s.id = d.sender_id
where d.sender_id = $1 order by d.message_id`;
    return world.db.query<{ message_id: string; own: boolean; state: string }>({ name: 'test_where', text }, [
      own.sender,
    ]);
  };
  await until('it has moved', async () => (await findAccount(world.db, own.tenant, id))?.synced_at != null);
  await until('queued work follows', async () => (await where()).some((row) => row.message_id === later && row.own));
  const open = (await where()).filter(({ state }) => state === 'sending');
  assert.deepEqual(
    open.map((row) => row.own),
    [false, false],
    'what has begun stays with whoever does it',
  );
  // One ends, one is to be tried again: it is due in the lane before, and follows.
  await own.settle(sendOf(second), { kind: 'sent', wamid: 'wamid.moved' });
  const held = { kind: 'error', code: 190, title: 'token', detail: null, retryAfter: null } as const;
  await own.settle(sendOf(waiting), held);
  await until('it follows too', async () => (await where()).every((row) => row.own));
  assert.equal((await own.read(second)).state, 'sent');
  await world.db.script("update senders set tend_until = now() - interval '1 second' where tend_until is not null");
  await until('it is over', async () => {
    const rows = await world.db.query<{ id: string }>({
      name: 'test_tended',
      text: 'select id from senders where tend_until is not null',
    });
    return rows.length === 0;
  });
});

test('an account that something else writes at that moment is taken then, and not at the next look', async () => {
  const tenant = await createTenants(world).create({ name: 'test' });
  assert.ok(typeof tenant === 'object');
  const id = String(++ids);
  await createAccounts({ ...world, sealer }).create(tenant.id, { id, access_token: 'good' });
  const writing = Promise.withResolvers<void>();
  const written = Promise.withResolvers<void>();
  const other = world.db.transaction(async (tx) => {
    const write = 'update accounts set templates_tries = 0 where tenant_id = $1 and id = $2';
    await tx.query({ name: 'test_write_account', text: write }, [tenant.id, id]);
    writing.resolve();
    await written.promise;
  });
  await writing.promise;
  const taken = takeDueAccounts(world.db, 8, 60_000);
  const waits = `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%sync_due_at <= now()%'`;
  try {
    await until('it waits', async () => (await world.db.query({ name: 'test_waits', text: waits }, [])).length > 0);
  } finally {
    written.resolve();
    await other;
  }
  assert.ok((await taken).some((account) => account.id === id));
});
