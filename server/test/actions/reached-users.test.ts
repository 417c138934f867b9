import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { createAcceptor } from '../../src/actions/accept-messages.ts';
import { beginCountedSends, type CountedBegun, findDueSends, putOffSends } from '../../src/actions/begin-sends.ts';
import { cancelMessage } from '../../src/actions/change-message.ts';
import { pruneStore } from '../../src/actions/keep-store.ts';
import { readLaneLimits } from '../../src/actions/lane-rules.ts';
import { type MessageId, newId, type SenderId, type TenantId } from '../../src/domain/ids.ts';
import type { LaneClaim } from '../../src/domain/lane.ts';
import type { NewMessage } from '../../src/domain/message.ts';
import type { ByPriority } from '../../src/domain/schedule/priorities.ts';
import { createPlaceLines, type LaneLimit } from '../../src/domain/schedule/unique-users.ts';
import { insertSender, insertTenant } from '../../src/store/set-up.write.ts';
import {
  type EngineWorld,
  engineWorld,
  GRACE,
  makeDue,
  newPhone,
  type TenantWorld,
  takeAllLanes,
} from '../engine-world.ts';
import { assertSound } from '../soundness.ts';

let world: EngineWorld;

before(async () => {
  world = await engineWorld();
});
afterEach(async () => {
  await assertSound(world.db);
  const text = `
    select l.lane_id, l.users, count(r.address)::int as rows from lane_reach l
    left join reached_users r on r.lane_id = l.lane_id group by l.lane_id having l.users <> count(r.address)`;
  assert.deepEqual(await world.db.query({ name: 'test_reach_counts', text }), []);
});
after(() => world.close());

const HOUR = 3_600_000;

/** A template to a new user. */
const template = (change: Partial<NewMessage> = {}): Partial<NewMessage> => ({
  type: 'template',
  category: 'marketing',
  content: null,
  template: { name: 'hello', language: 'en', components: [] },
  ...change,
});

interface Beginning {
  claim?: LaneClaim;
  senders?: readonly SenderId[];
  lines?: ReturnType<typeof createPlaceLines>;
  room?: number;
}

/** Begins what is due within a limit of users, and puts off what does not fit. */
async function begin(own: TenantWorld, limit: LaneLimit | null, more: Beginning = {}): Promise<CountedBegun> {
  const { claim = own.claim, senders = [own.sender], room = 100 } = more;
  const lines = more.lines ?? createPlaceLines(() => 0);
  const asks = senders.map((sender) => ({ lane: own.lane, sender, limits: [room, room, room] as ByPriority }));
  const found = await findDueSends(world.db, asks);
  const limits = new Map(limit ? [[own.lane, limit]] : []);
  const taken = await beginCountedSends(world.db, claim, { paced: [], limits, lines }, found, GRACE);
  await putOffSends(world.db, claim, taken.putOff);
  return taken;
}

const most = (users: number, reserved = 0): LaneLimit => ({ most: users, reserved });

async function accept(own: TenantWorld, count: number, change: Partial<NewMessage> = {}): Promise<MessageId[]> {
  const ids: MessageId[] = [];
  for (let i = 0; i < count; i++) ids.push(await own.accept(template(change)));
  return ids;
}

async function rows<Row extends object>(name: string, text: string, ...values: unknown[]): Promise<Row[]> {
  return world.db.query<Row>({ name: `test_${name}`, text }, values);
}

async function reached({ lane }: TenantWorld): Promise<string[]> {
  const text = 'select address from reached_users where lane_id = $1 order by address';
  return (await rows<{ address: string }>('reached', text, lane)).map(({ address }) => address);
}

/** As if so much time had passed since users were written to. */
async function letPass({ lane }: TenantWorld, ms: number, address: string | null = null): Promise<void> {
  const text = `update reached_users set reached_at = reached_at - $2 * interval '1 ms'
    where lane_id = $1 and address = coalesce($3, address)`;
  await rows('let_pass', text, lane, ms, address);
}

interface Waiting {
  message_id: MessageId;
  cause: string | null;
  /** Milliseconds until it is due. */
  wait: number;
}

async function waiting({ lane }: TenantWorld): Promise<Waiting[]> {
  const text = `select message_id, cause, (extract(epoch from due_at - clock_timestamp()) * 1000)::float8 as wait
    from due where lane_id = $1 and state = 'queued' order by due_at`;
  return rows<Waiting>('waiting', text, lane);
}

test('a template counts its user once, free text and open windows nobody', async () => {
  const own = await world.tenant();
  const [known, open, closing, shut] = [newPhone(), newPhone(), newPhone(), newPhone()];
  for (const address of [known, known, open, closing, shut]) await own.accept(template({ address }));
  await own.accept({ address: newPhone() });
  const window = `update conversations v set window_expires_at = now() + $3 * interval '1 second'
    from contact_identities i where i.tenant_id = $1 and i.value = $2 and v.tenant_id = $1 and v.contact_id = i.contact_id`;
  await rows('window', window, own.tenant, open, 3600);
  await rows('window', window, own.tenant, closing, 30);
  await rows('window', window, own.tenant, shut, -5);
  assert.equal((await begin(own, most(10))).begun.length, 6);
  assert.deepEqual(await reached(own), [known, closing, shut].sort());
});

test('nothing is counted without a limit', async () => {
  const own = await world.tenant();
  await accept(own, 3);
  assert.equal((await begin(own, null)).begun.length, 3);
  assert.deepEqual(await reached(own), []);
});

test('what does not fit waits until places get free, one after the other; known users and free text go on', async () => {
  const own = await world.tenant();
  const lines = createPlaceLines(() => 0.5);
  await accept(own, 3);
  assert.equal((await begin(own, most(3), { lines })).begun.length, 3);
  const users = await reached(own);
  // Free in 1, 2 and 20 hours.
  for (const [i, hours] of [23, 22, 4].entries()) await letPass(own, hours * HOUR, users[i]);
  const late = await accept(own, 4);
  await own.accept(template({ address: users[2] as string }));
  await own.accept();
  const { begun, putOff } = await begin(own, most(3), { lines });
  assert.deepEqual([begun.length, putOff.length], [2, 4]);
  const waits = await waiting(own);
  assert.deepEqual(waits.map(({ message_id }) => message_id).sort(), late.sort());
  for (const [i, hours] of [1, 2, 4.5, 4.5].entries()) {
    const { wait, cause } = waits[i] as Waiting;
    assert.equal(cause, 'messaging_limit');
    assert.ok(Math.abs(wait - hours * HOUR) < 60_000, `${i}: ${wait / HOUR} hours`);
  }
  // Places are promised once: the next one gets none of these two.
  await accept(own, 1);
  await begin(own, most(3), { lines });
  assert.ok(((await waiting(own)).at(-1) as Waiting).wait > 4 * HOUR);
  // When the first place is free, one goes.
  await letPass(own, HOUR);
  for (const { message_id } of waits) await makeDue(world.db, message_id);
  assert.equal((await begin(own, most(3), { lines })).begun.length, 1);
});

test('a part is kept for codes and notices', async () => {
  const own = await world.tenant();
  await accept(own, 10);
  assert.equal((await begin(own, most(10, 2))).begun.length, 8);
  await accept(own, 1, { category: 'authentication', priority: 0 });
  await accept(own, 2, { category: 'utility' });
  const { begun, putOff } = await begin(own, most(10, 2));
  assert.deepEqual([begun.length, putOff.map(({ candidate }) => candidate.category)], [2, ['utility']]);
  assert.equal(begun[0]?.category, 'authentication');
  assert.equal((await reached(own)).length, 10);
});

test('the window moves: a user counts for 24 hours from the last template to him', async () => {
  const own = await world.tenant();
  const address = newPhone();
  await own.accept(template({ address }));
  await begin(own, most(1));
  await letPass(own, 23 * HOUR);
  await own.accept(template({ address }));
  assert.equal((await begin(own, most(1))).begun.length, 1);
  await letPass(own, 2 * HOUR);
  await accept(own, 1);
  assert.equal((await begin(own, most(1))).begun.length, 0, 'he counts from the second');
  await letPass(own, 22 * HOUR);
  await accept(own, 1);
  assert.equal((await begin(own, most(1))).begun.length, 1);
  assert.equal((await reached(own)).length, 1);
});

test('a portfolio of two tenants has one limit', async () => {
  const own = await world.tenant();
  const tenant = newId<TenantId>();
  const sender = newId<SenderId>();
  await insertTenant(world.db, tenant, 'other');
  await insertSender(world.db, tenant, {
    id: sender,
    name: 'other',
    portfolio: own.phoneNumberId,
    app: 'default',
    phoneNumberId: `${own.phoneNumberId}2`,
    accountId: '2',
    phone: newPhone(),
    tokenSealed: Buffer.from('sealed'),
    messagesPerSecond: 80,
    isDefault: true,
  });
  const shared = newPhone();
  await own.accept(template({ address: shared }));
  await accept(own, 1);
  await begin(own, most(3));
  const acceptor = createAcceptor({ db: world.db, signals: world.signals, slot: 0 });
  for (const address of [shared, newPhone(), newPhone(), newPhone()]) {
    await acceptor.accept(tenant, own.message({ ...template({ address }), sender_id: sender }), null);
  }
  const { begun, putOff } = await begin(own, most(3), { senders: [own.sender, sender] });
  assert.deepEqual([begun.length, putOff.length], [2, 2]);
  assert.equal((await reached(own)).length, 3);
});

test('a new owner goes on; the old one begins nothing and counts nothing', async () => {
  const own = await world.tenant();
  await accept(own, 6);
  assert.equal((await begin(own, most(4), { room: 2 })).begun.length, 2);
  const claim = await takeAllLanes(world.db, newId());
  assert.equal((await begin(own, most(4))).begun.length, 0);
  assert.equal((await reached(own)).length, 2);
  assert.equal((await begin(own, most(4), { claim })).begun.length, 2);
  assert.equal((await reached(own)).length, 4);
});

test('those that begin at once never exceed the limit together', async () => {
  const own = await world.tenant();
  await accept(own, 20);
  const taken = await Promise.all(Array.from({ length: 4 }, () => begin(own, most(5))));
  const begun = taken.flatMap((one) => one.begun.map(({ message_id }) => message_id));
  assert.deepEqual([begun.length, new Set(begun).size, (await reached(own)).length], [5, 5, 5]);
});

test('with chance as the client, no 24 hours ever have more users than the limit, and the ledger is the model', async () => {
  const own = await world.tenant();
  const addresses = Array.from({ length: 12 }, newPhone);
  const model = new Map<string, number>();
  let clock = 0;
  let seed = 3;
  const random = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return (seed >> 8) % below;
  };
  for (let round = 0; round < 40; round++) {
    const passed = random(8) * HOUR;
    clock += passed;
    await letPass(own, passed);
    const asked = Array.from({ length: random(5) }, () => addresses[random(12)] as string);
    for (const address of asked) await own.accept(template({ address }));
    const young = () => [...model].filter(([, at]) => at > clock - 24 * HOUR).map(([address]) => address);
    const { begun, putOff } = await begin(own, most(5));
    for (const { address } of begun) model.set(address, clock);
    const now = young();
    assert.ok(now.length <= 5, `${now.length} users`);
    if (putOff.length > 0) assert.equal(now.length, 5, 'somebody waits only at the limit');
    for (const { candidate } of putOff) assert.ok(!now.includes(candidate.address), 'nobody waits who counts');
    const counted = `select address from reached_users where lane_id = $1 and reached_at > now() - interval '24 hours'`;
    const ledger = await rows<{ address: string }>('counted', counted, own.lane);
    assert.deepEqual(ledger.map(({ address }) => address).sort(), now.sort());
  }
});

test('users who count no more are pruned, and are no part of the count', async () => {
  const own = await world.tenant();
  await accept(own, 4);
  await begin(own, most(10));
  const users = await reached(own);
  for (const address of users.slice(0, 3)) await letPass(own, 25 * HOUR, address);
  await pruneStore(world.db, { keys: HOUR, webhooks: HOUR }, Date.now());
  assert.deepEqual(await reached(own), users.slice(3));
});

test('the limit is the least of the accounts, and a raise lets waiting messages go', async () => {
  const own = await world.tenant();
  const account = async (id: string, limit: string | null) => {
    const text = `insert into accounts (tenant_id, id, app_id, access_token_sealed, messaging_limit)
      values ($1, $2, 'default', '', $3) on conflict (tenant_id, id) do update set messaging_limit = excluded.messaging_limit`;
    await rows('account', text, own.tenant, id, limit);
  };
  const read = async () => (await readLaneLimits(world.db, world.signals, own.claim, 0.1)).get(own.lane);
  const id = String(100_000 + own.lane);
  await rows('account_of', 'update senders set account_id = $2 where tenant_id = $1', own.tenant, id);
  await account(id, null);
  assert.equal(await read(), undefined);
  await account(id, 'TIER_2');
  const limit = await read();
  assert.deepEqual(limit, { most: 2, reserved: 0, portfolio: own.phoneNumberId, users: 0 });
  await accept(own, 6);
  assert.equal((await begin(own, limit ?? null)).begun.length, 2);
  let woken = 0;
  const unlisten = world.signals.listen(`due:${own.lane}`, () => woken++);
  assert.equal((await read())?.users, 2);
  assert.equal((await waiting(own)).filter(({ wait }) => wait > HOUR).length, 4);
  await account(id, 'TIER_5');
  assert.equal((await read())?.most, 5);
  const causes = (await waiting(own)).map(({ cause }) => cause);
  assert.deepEqual(causes, [null, null, null, 'messaging_limit'], 'as many as the raise lets');
  assert.equal((await begin(own, most(5))).begun.length, 3);
  await account(id, 'TIER_UNLIMITED');
  assert.equal(await read(), undefined);
  assert.equal((await begin(own, null)).begun.length, 1);
  assert.equal(woken, 2);
  assert.equal(await read(), undefined);
  assert.equal(woken, 2, 'once released is released');
  unlisten();
});

test('a sender that keeps a pace counts by both, and only what begins has a place', async () => {
  const own = await world.tenant();
  await accept(own, 5);
  const paced = [
    { tenant: own.tenant, sender: own.sender, paces: [{ kind: 'minute', most: 2, span: 60_000 }] as const },
  ];
  const found = await findDueSends(world.db, [{ lane: own.lane, sender: own.sender, limits: [9, 9, 9] }]);
  const counting = { paced, limits: new Map([[own.lane, most(4)]]), lines: createPlaceLines(() => 0) };
  const { begun, putOff, waits } = await beginCountedSends(world.db, own.claim, counting, found, GRACE);
  assert.deepEqual([begun.length, putOff.length], [2, 1]);
  assert.ok((waits.get(own.sender) ?? 0) > 59_000);
  assert.equal((await reached(own)).length, 2);
});

test('a message that is cancelled meanwhile takes no place', async () => {
  const own = await world.tenant();
  const [cancelled] = await accept(own, 2);
  const found = await findDueSends(world.db, [{ lane: own.lane, sender: own.sender, limits: [9, 9, 9] }]);
  await cancelMessage(world.db, world.signals, own.tenant, cancelled as MessageId, null);
  const counting = { paced: [], limits: new Map([[own.lane, most(4)]]), lines: createPlaceLines(() => 0) };
  const { begun } = await beginCountedSends(world.db, own.claim, counting, found, GRACE);
  assert.deepEqual([begun.length, (await reached(own)).length], [1, 1]);
});
