import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, afterEach, before, test } from 'node:test';
import { receiveMessages } from '../../src/actions/receive-messages.ts';
import { applyUserIdUpdates } from '../../src/actions/user-id-updates.ts';
import { type ContactId, newId, type SenderId } from '../../src/domain/ids.ts';
import type { ReceivedMessage } from '../../src/domain/inbound-message.ts';
import { type EngineWorld, engineWorld, newPhone, type TenantWorld } from '../engine-world.ts';
import { assertSound } from '../soundness.ts';

let world: EngineWorld;

before(async () => {
  world = await engineWorld();
});
afterEach(() => assertSound(world.db));
after(() => world.close());

let count = 0;
const AT = Date.parse('2026-11-01T12:00:00Z');

function message({ tenant, sender }: TenantWorld, change: Partial<ReceivedMessage> = {}): ReceivedMessage {
  const text = { type: 'text', content: { text: 'Hi' }, name: null, replyTo: null };
  return { tenant, sender, wamid: `wamid.name.${++count}`, at: AT, phone: null, userId: null, ...text, ...change };
}

async function receive(...messages: ReceivedMessage[]): Promise<ContactId[]> {
  return (await receiveMessages(world.db, world.signals, messages, 0)).map((one) => one.contact);
}

/** Who is called what: `value contact suppressed`, or `value contact left`. */
async function names({ tenant }: TenantWorld): Promise<Record<string, [ContactId, number, boolean]>> {
  const text =
    'select value, contact_id, suppressed, left_at is not null as gone from contact_identities where tenant_id = $1';
  const rows = await world.db.query<{ value: string; contact_id: ContactId; suppressed: number; gone: boolean }>(
    { name: 'test_names', text },
    [tenant],
  );
  return Object.fromEntries(rows.map((row) => [row.value, [row.contact_id, row.suppressed, row.gone]]));
}

async function refuse({ tenant }: TenantWorld, contact: ContactId | undefined): Promise<void> {
  const text = `
    with c as (update contacts set marketing_consent = 'out' where tenant_id = $1 and id = $2)
    update contact_identities set suppressed = 1 where tenant_id = $1 and contact_id = $2`;
  await world.db.query({ name: 'test_refuse', text }, [tenant, contact]);
}

/** A lane, as of a second portfolio. */
async function anotherLane(): Promise<number> {
  const text = 'insert into lanes (portfolio_id) values ($1) returning id';
  const [row] = await world.db.query<{ id: number }>({ name: 'test_make_lane', text }, [newId()]);
  return row?.id ?? 0;
}

/** A second number of the tenant. */
async function anotherSender({ tenant, lane: own }: TenantWorld, lane = own): Promise<SenderId> {
  const id = newId<SenderId>();
  const text = `
    insert into senders (tenant_id, id, name, channel, lane_id, app_id, phone_number_id, account_id, phone, access_token_sealed)
    values ($1, $2, 'other', 'whatsapp', $3, 'default', $5, '1', $4, 'sealed')`;
  await world.db.query({ name: 'test_sender', text }, [tenant, id, lane, newPhone(), id]);
  return id;
}

test('a number that comes with the id of somebody else is that person’s from then on', async () => {
  const own = await world.tenant();
  const phone = newPhone();
  const [old, user] = await receive(
    message(own, { phone, userId: 'US.old' }),
    message(own, { userId: 'US.new', at: AT + 1000 }),
  );
  const both = message(own, { phone, userId: 'US.new', at: AT + 2000 });
  const [who] = await receive(both);
  assert.equal(who, user);
  assert.deepEqual(await names(own), {
    [phone]: [user, 0, false],
    'US.old': [old, 0, false],
    'US.new': [user, 0, false],
  });
  const text = 'select content from messages where tenant_id = $1 and wamid = $2';
  const [row] = await world.db.query<{ content: object }>({ name: 'test_content', text }, [own.tenant, both.wamid]);
  assert.deepEqual(row?.content, {
    text: 'Hi',
    identity: { taken_over: [{ kind: 'phone', value: phone, from_contact_id: old }] },
  });
  // From here on both names lead to the same conversation.
  assert.deepEqual(await receive(message(own, { phone, at: AT + 3000 })), [user]);
});

test('of two who were known by one name each, and are the same person, what one refused the other refuses', async () => {
  const own = await world.tenant();
  const phone = newPhone();
  const [byPhone, byUser] = await receive(message(own, { phone }), message(own, { userId: 'US.1' }));
  await refuse(own, byPhone);
  await receive(message(own, { phone, userId: 'US.1', at: AT + 1000 }));
  assert.deepEqual(await names(own), { [phone]: [byUser, 1, false], 'US.1': [byUser, 1, false] });
  const text = 'select marketing_consent from contacts where tenant_id = $1 and id = $2';
  const [row] = await world.db.query<object>({ name: 'test_consent', text }, [own.tenant, byUser]);
  assert.deepEqual(row, { marketing_consent: 'out' });
});

test('a recycled number does not bring along what its former owner refused', async () => {
  const own = await world.tenant();
  const phone = newPhone();
  const [old] = await receive(message(own, { phone, userId: 'US.old' }), message(own, { userId: 'US.new' }));
  await refuse(own, old);
  await receive(message(own, { phone, userId: 'US.new', at: AT + 1000 }));
  assert.deepEqual((await names(own))[phone]?.[1], 0);
});

test('a new name of somebody who refused is refused as well', async () => {
  const own = await world.tenant();
  const phone = newPhone();
  const [contact] = await receive(message(own, { phone }));
  await refuse(own, contact);
  await receive(message(own, { phone, userId: 'US.1', parentUserId: 'US.ENT.1' }));
  assert.deepEqual(await names(own), {
    [phone]: [contact, 1, false],
    'US.1': [contact, 1, false],
    'US.ENT.1': [contact, 1, false],
  });
});

test('who comes with another id of the same portfolio under a known number is somebody else, who has the number now', async () => {
  const own = await world.tenant();
  const phone = newPhone();
  const [old] = await receive(message(own, { phone, userId: 'US.old' }));
  await refuse(own, old);
  const [fresh, again] = await receive(
    message(own, { phone, userId: 'US.new', at: AT + 1000 }),
    message(own, { phone, at: AT + 2000 }),
  );
  assert.notEqual(fresh, old);
  assert.equal(again, fresh);
  assert.deepEqual(await names(own), {
    [phone]: [fresh, 0, false],
    'US.old': [old, 1, false],
    'US.new': [fresh, 0, false],
  });
  // A message of the former owner that comes late is his, and takes nothing back.
  assert.deepEqual(await receive(message(own, { phone, userId: 'US.old', at: AT + 500 })), [old]);
  assert.deepEqual((await names(own))[phone], [fresh, 0, false]);
  // Both in one webhook are two people as well.
  const number = newPhone();
  const two = await receive(
    message(own, { phone: number, userId: 'US.a' }),
    message(own, { phone: number, userId: 'US.b' }),
  );
  assert.notEqual(two[0], two[1]);
  // In another portfolio the same person has another id.
  const other = await anotherSender(own, await anotherLane());
  assert.deepEqual(await receive(message(own, { phone, userId: 'US.far', sender: other, at: AT + 3000 })), [fresh]);
});

test('a change of number is followed: the same contact and conversation, and the old number is free', async () => {
  const own = await world.tenant();
  const [old, fresh] = [newPhone(), newPhone()];
  const [contact] = await receive(message(own, { phone: old, userId: 'US.1' }));
  const system = message(own, {
    type: 'system',
    phone: fresh,
    userId: 'US.2',
    formerly: { phone: old, userId: 'US.1' },
    windowHours: 0,
    at: AT + 1000,
  });
  // With a message from the new number in the same webhook, and one from before the change that comes late.
  const whose = await receive(
    system,
    message(own, { phone: fresh, userId: 'US.2', at: AT + 2000 }),
    message(own, { phone: old, userId: 'US.1', at: AT - 2000 }),
  );
  assert.deepEqual(whose, [contact, contact, contact]);
  assert.deepEqual(await names(own), {
    [old]: [contact, 0, true],
    'US.1': [contact, 0, true],
    [fresh]: [contact, 0, false],
    'US.2': [contact, 0, false],
  });
  const text = 'select count(*)::int as n, max(window_expires_at) as until from conversations where tenant_id = $1';
  const [talks] = await world.db.query<{ n: number; until: Date }>({ name: 'test_talks', text }, [own.tenant]);
  assert.deepEqual(talks, { n: 1, until: new Date(AT + 2000 + 86_400_000) });
  // Later the old number is somebody else's.
  const [other] = await receive(message(own, { phone: old, userId: 'US.3', at: AT + 9000 }));
  assert.notEqual(other, contact);
  assert.deepEqual((await names(own))[old], [other, 0, false]);
  // And told again, or late, the change changes nothing.
  await receive(system, message(own, { ...system, wamid: 'wamid.again' }));
  assert.deepEqual((await names(own))[old], [other, 0, false]);
});

test('a change to a number that somebody else had takes it over; a change of somebody unknown makes him known', async () => {
  const own = await world.tenant();
  const [old, taken] = [newPhone(), newPhone()];
  const [contact, other] = await receive(message(own, { phone: old }), message(own, { phone: taken, userId: 'US.x' }));
  const changed = { type: 'system', windowHours: 0, at: AT + 1000 };
  await receive(message(own, { ...changed, phone: taken, formerly: { phone: old, userId: null } }));
  assert.deepEqual(await names(own), {
    [old]: [contact, 0, true],
    [taken]: [contact, 0, false],
    'US.x': [other, 0, false],
  });
  const [stranger] = await receive(
    message(own, { ...changed, userId: 'US.8', formerly: { phone: null, userId: 'US.7' } }),
  );
  assert.deepEqual((await names(own))['US.8'], [stranger, 0, false]);
});

test('the same change told four times at once happens once', async () => {
  const own = await world.tenant();
  const [old, fresh] = [newPhone(), newPhone()];
  const [contact] = await receive(message(own, { phone: old }));
  const system = message(own, { type: 'system', phone: fresh, formerly: { phone: old, userId: null }, at: AT + 1000 });
  const made = await Promise.all([receive(system), receive(system), receive(system), receive(system)]);
  assert.deepEqual(made.flat(), [contact]);
  assert.deepEqual(await names(own), { [old]: [contact, 0, true], [fresh]: [contact, 0, false] });
});

test('with several senders of a tenant a person whose names meet keeps one conversation with each', async () => {
  const own = await world.tenant();
  const phone = newPhone();
  const other = await anotherSender(own);
  const [byUser] = await receive(message(own, { userId: 'US.1' }), message(own, { userId: 'US.1', sender: other }));
  await receive(message(own, { phone }));
  await receive(
    message(own, { phone, userId: 'US.1', at: AT + 1000 }),
    message(own, { phone, sender: other, at: AT + 2000 }),
  );
  const text = 'select count(*)::int as n from conversations where tenant_id = $1 and contact_id = $2';
  const [talks] = await world.db.query<{ n: number }>({ name: 'test_count', text }, [own.tenant, byUser]);
  assert.equal(talks?.n, 2);
});

/** The documented webhook about a number of ours and a customer. */
function idUpdate(
  { phoneNumberId }: TenantWorld,
  change: { phone?: string; previous?: unknown; current?: unknown; at: number },
) {
  const file = new URL('../../../simulator/fixtures/user-id-update.json', import.meta.url);
  const { payload } = JSON.parse(readFileSync(file, 'utf8')) as {
    payload: { entry: { changes: { field: string; value: { user_id_update: object[] } }[] }[] };
  };
  const told = payload.entry[0]?.changes[0];
  assert.ok(told);
  const { phone, previous, current, at } = change;
  const item: Record<string, unknown> = {
    ...told.value.user_id_update[0],
    user_id: { previous, current },
    timestamp: String(at / 1000),
  };
  item['wa_id'] = phone?.slice(1);
  const value = { ...told.value, metadata: { phone_number_id: phoneNumberId }, user_id_update: [item] };
  return { app: 'default', account_id: '1', field: told.field, value, at: at + 5000 };
}

test('a new user id is followed without a message: the same contact has it, refuses what he refused, and the old one is free [field user_id_update]', async () => {
  const own = await world.tenant();
  const phone = newPhone();
  const [contact] = await receive(message(own, { phone, userId: 'US.1' }));
  await refuse(own, contact);
  const apply = applyUserIdUpdates(world);
  const update = idUpdate(own, { phone, previous: 'US.1', current: 'US.2', at: AT + 1000 });
  const troubles = await Promise.all([apply([update]), apply([update]), apply([update, update]), apply([update])]);
  assert.deepEqual(troubles.flat(), []);
  const after = { [phone]: [contact, 1, false], 'US.1': [contact, 1, true], 'US.2': [contact, 1, false] };
  assert.deepEqual(await names(own), after);
  // With the system message about the same, before or after, and a message under the new name.
  const system = { type: 'system', phone, userId: 'US.2', formerly: { phone: null, userId: 'US.1' }, windowHours: 0 };
  await receive(message(own, { ...system, at: AT + 1000 }));
  assert.deepEqual(await apply([update]), []);
  assert.deepEqual(await receive(message(own, { phone, userId: 'US.2', at: AT + 2000 })), [contact]);
  assert.deepEqual(await names(own), after);
  // Who is known by his id alone, and by his number alone.
  const [byId, byPhone] = [newPhone(), newPhone()];
  const two = await receive(message(own, { userId: 'US.3' }), message(own, { phone: byPhone }));
  const updates = [
    idUpdate(own, { phone: byId, previous: 'US.3', current: 'US.4', at: AT + 1000 }),
    idUpdate(own, { phone: byPhone, previous: 'US.5', current: 'US.6', at: AT + 1000 }),
    // One after the other.
    idUpdate(own, { previous: 'US.6', current: 'US.7', at: AT + 2000 }),
  ];
  assert.deepEqual(await apply(updates), []);
  const named = await names(own);
  assert.deepEqual(
    [named['US.4'], named[byId], named['US.7']],
    [two[0], two[0], two[1]].map((one) => [one, 0, false]),
  );
  // His number changed, which said nothing of the new id; then the id is told.
  const [old, fresh] = [newPhone(), newPhone()];
  const [moved] = await receive(message(own, { phone: old, userId: 'US.8' }));
  const changed = { type: 'system', phone: fresh, formerly: { phone: old, userId: 'US.8' }, windowHours: 0 };
  await receive(message(own, { ...changed, at: AT + 1000 }));
  assert.deepEqual(await apply([idUpdate(own, { previous: 'US.8', current: 'US.9', at: AT + 2000 })]), []);
  assert.deepEqual(await receive(message(own, { phone: fresh, userId: 'US.9', at: AT + 3000 })), [moved]);
  const text = 'select lane_id from contact_identities where tenant_id = $1 and value = $2';
  const lane = { name: 'test_lane_of', text };
  assert.deepEqual(await world.db.query<object>(lane, [own.tenant, 'US.4']), [{ lane_id: own.lane }]);
});

test('of nobody that is known nothing is noted; an update that cannot be read is told of, and the others are applied', async () => {
  const own = await world.tenant();
  const apply = applyUserIdUpdates(world);
  assert.deepEqual(await apply([idUpdate(own, { phone: newPhone(), previous: 'US.1', current: 'US.2', at: AT })]), []);
  assert.deepEqual(await names(own), {});
  const [contact] = await receive(message(own, { userId: 'US.1' }));
  const good = idUpdate(own, { previous: 'US.1', current: 'US.2', at: AT + 1000 });
  const bad = [
    idUpdate(own, { previous: 'US.1', current: 'drop table', at: AT }),
    idUpdate(own, { previous: { a: 1 }, current: 'US.9', at: AT }),
    { ...good, value: { ...good.value, user_id_update: [null] } },
    { ...good, value: { ...good.value, user_id_update: 'x' } },
  ];
  const elsewhere = { ...good, value: { ...good.value, metadata: { phone_number_id: '404' } } };
  const troubles = await apply([...bad, elsewhere, good]);
  assert.equal(troubles.filter((text) => /1 that cannot be read/.test(text)).length, bad.length);
  assert.match(troubles.join(), /not known here/);
  assert.deepEqual((await names(own))['US.2'], [contact, 0, false]);
});
