import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { applyReceipts } from '../../src/actions/apply-receipts.ts';
import { setBlocked } from '../../src/actions/blocked-users.ts';
import { createConsentKeywords } from '../../src/actions/consent-keywords.ts';
import { type RefusedMessage, recordProviderStops } from '../../src/actions/provider-stops.ts';
import { createSettler } from '../../src/actions/settle-sends.ts';
import { createTenants } from '../../src/actions/tenants.ts';
import { applyUserPreferences } from '../../src/actions/user-preferences.ts';
import type { AccountChange } from '../../src/domain/account-change.ts';
import { type ContactId, type MessageId, newId } from '../../src/domain/ids.ts';
import { createProviderStops } from '../../src/jobs/provider-stops.ts';
import { findBlockedUser, listBlockedUsers } from '../../src/store/blocked-users.read.ts';
import { listConsents } from '../../src/store/consents.read.ts';
import { type ContactRecord, findContactRecord, listContacts } from '../../src/store/contact-records.read.ts';
import { type EngineWorld, engineWorld, newPhone, RULES, type TenantWorld } from '../engine-world.ts';
import { assertSound } from '../soundness.ts';
import { until } from '../until.ts';

let world: EngineWorld;
before(async () => {
  world = await engineWorld();
});
afterEach(() => assertSound(world.db));
after(() => world.close());

const KEYWORDS = { opt_out: ['STOP'], opt_in: ['START'] };

async function contactOf(own: TenantWorld, address = newPhone()): Promise<ContactId> {
  return (await own.read(await own.accept({ address }))).contact_id;
}

function saying(own: TenantWorld, contact: ContactId, text: string, at = Date.now()) {
  return { tenant: own.tenant, contact, message: newId<MessageId>(), type: 'text', content: { text }, at };
}

async function record(own: TenantWorld, contact: ContactId): Promise<ContactRecord> {
  const found = await findContactRecord(world.db, own.tenant, contact);
  assert.ok(found);
  return found;
}

test('a keyword opts out and in, with the message that said it; other words do not', async () => {
  const own = await world.tenant();
  const contact = await contactOf(own);
  const keywords = createConsentKeywords({ ...world, keywords: KEYWORDS, scope: 'marketing' });
  await keywords.apply([saying(own, contact, 'please stop this')]);
  assert.equal((await record(own, contact)).marketing_consent, null);
  const stop = saying(own, contact, ' stop! ');
  await keywords.apply([saying(own, contact, 'hello'), stop]);
  await keywords.apply([stop]);
  assert.equal((await record(own, contact)).marketing_consent, 'out');
  const [word, ...more] = await listConsents(world.db, own.tenant, contact, null, 10);
  assert.deepEqual(more, []);
  assert.deepEqual([word?.source, word?.detail, word?.message_id], ['keyword', 'STOP', stop.message]);
  assert.equal(word?.at.getTime(), stop.at);
  await keywords.apply([saying(own, contact, 'Start')]);
  assert.equal((await record(own, contact)).marketing_consent, 'in');
  keywords.close();
});

test('a tapped button is read by its title and payload; the scope is that of the configuration', async () => {
  const own = await world.tenant();
  const contact = await contactOf(own);
  const keywords = createConsentKeywords({ ...world, keywords: KEYWORDS, scope: 'all' });
  const reply = { kind: 'quick_reply', title: 'No more', payload: 'STOP' };
  await keywords.apply([{ ...saying(own, contact, ''), type: 'button', content: { reply } }]);
  const { marketing_consent, contact_consent } = await record(own, contact);
  assert.deepEqual([marketing_consent, contact_consent], [null, 'out']);
  keywords.close();
});

test("a tenant's own keywords stand in place of the configuration's, as soon as they are changed", async () => {
  const own = await world.tenant();
  const contact = await contactOf(own);
  const keywords = createConsentKeywords({ ...world, keywords: KEYWORDS, scope: 'marketing', believed: 600_000 });
  await keywords.apply([saying(own, contact, 'hello')]);
  const tenants = createTenants(world);
  await tenants.change(own.tenant, { consent_keywords: { opt_out: ['Schluss'] } });
  await keywords.apply([saying(own, contact, 'stop')]);
  assert.equal((await record(own, contact)).marketing_consent, null);
  await keywords.apply([saying(own, contact, 'schluss')]);
  assert.equal((await record(own, contact)).marketing_consent, 'out');
  await keywords.apply([saying(own, contact, 'START')]);
  assert.equal((await record(own, contact)).marketing_consent, 'in');
  await tenants.change(own.tenant, { consent_keywords: null });
  await keywords.apply([saying(own, contact, 'STOP')]);
  assert.equal((await record(own, contact)).marketing_consent, 'out');
  keywords.close();
});

function preferences(own: TenantWorld, items: unknown, number: unknown = own.phoneNumberId): AccountChange {
  const metadata = { display_phone_number: '15550783881', phone_number_id: number };
  const value = { messaging_product: 'whatsapp', metadata, user_preferences: items };
  return { app: 'default', account_id: '1', field: 'user_preferences', value, at: Date.now() };
}

test('who stops marketing messages in WhatsApp opts out, whether he is known or not [field user_preferences]', async () => {
  const own = await world.tenant();
  const phone = newPhone();
  const contact = await contactOf(own, phone);
  const waits = await own.accept({ address: phone, category: 'marketing' });
  const apply = applyUserPreferences(world);
  const stranger = newPhone();
  const item = {
    wa_id: phone.slice(1),
    detail: 'User requested to stop marketing messages',
    category: 'marketing_messages',
    value: 'stop',
    timestamp: 1731617831,
  };
  const change = preferences(own, [
    item,
    { ...item, wa_id: stranger.slice(1) },
    { ...item, wa_id: undefined, user_id: 'ID.9a' },
  ]);
  assert.deepEqual(await apply([change]), []);
  // The provider repeats itself.
  assert.deepEqual(await apply([change]), []);
  const said = await listConsents(world.db, own.tenant, contact, null, 10);
  assert.equal(said.length, 1);
  assert.deepEqual([said[0]?.source, said[0]?.at.getTime()], ['whatsapp', 1731617831999]);
  assert.equal((await own.read(waits)).state, 'failed');
  for (const filter of [{ phone: stranger }, { user_id: 'ID.9a' }]) {
    const { contacts } = await listContacts(world.db, own.tenant, filter, null, 2);
    assert.deepEqual(
      contacts.map((one) => one.marketing_consent),
      ['out'],
    );
  }
  await apply([preferences(own, [{ ...item, value: 'resume', timestamp: '1731617999' }])]);
  assert.equal((await record(own, contact)).marketing_consent, 'in');
});

test('preferences that cannot be read are left out and told of; the others count', async () => {
  const own = await world.tenant();
  const contact = await contactOf(own, '+6281200001111');
  const apply = applyUserPreferences(world);
  const good = {
    wa_id: '6281200001111',
    category: 'marketing_messages',
    value: 'stop',
    timestamp: '17316178310000000',
  };
  const bad = [null, 'x', {}, { ...good, value: 'maybe' }, { ...good, category: 'other' }, { ...good, wa_id: '12' }];
  assert.equal((await apply([preferences(own, [...bad, good])])).length, 1);
  assert.equal((await record(own, contact)).marketing_consent, 'out');
  assert.equal((await apply([preferences(own, undefined)])).length, 1);
  assert.equal((await apply([preferences(own, [good], 'nobody'), preferences(own, [good], 7)])).length, 2);
});

test('a refusal because the person stopped marketing opts out; one because the number blocks him is kept [code 131050] [code 130403]', async () => {
  const own = await world.tenant();
  const phone = newPhone();
  const first = await own.sending({ address: phone, category: 'marketing' });
  const waits = await own.accept({ address: phone, category: 'marketing' });
  const refused = { tenant: own.tenant, message: first.message_id, code: 131050, at: Date.now() };
  await recordProviderStops(world, [refused, { ...refused, message: newId<MessageId>() }]);
  await recordProviderStops(world, [refused]);
  const contact = (await own.read(waits)).contact_id;
  assert.equal((await record(own, contact)).marketing_consent, 'out');
  assert.equal((await own.read(waits)).state, 'failed');
  assert.equal((await listConsents(world.db, own.tenant, contact, null, 10)).length, 1);
  const block = { ...refused, code: 130403 };
  await recordProviderStops(world, [block, block]);
  const [one, ...more] = await listBlockedUsers(world.db, own.tenant, own.sender, null, 10);
  assert.deepEqual([one?.contact_id, one?.blocked, one?.confirmed, more], [contact, true, true, []]);
  // What is asked for goes before what was known.
  await setBlocked(world, own.tenant, own.sender, contact, false);
  await recordProviderStops(world, [{ ...block, at: Date.now() + 1000 }]);
  assert.equal((await findBlockedUser(world.db, own.tenant, own.sender, contact))?.blocked, false);
});

test('refusals are told of, whether an answer says so or a receipt', async () => {
  const own = await world.tenant();
  const [first, second] = [await own.sending(), await own.sending()];
  const told: RefusedMessage[] = [];
  const refused = (some: readonly RefusedMessage[]) => void told.push(...some);
  const { db, signals } = world;
  const settler = createSettler({ ...RULES, db, signals, owner: () => own.claim, refused });
  await settler.settle(first, { kind: 'sent', wamid: 'wamid.sent' });
  await settler.settle(second, { kind: 'error', code: 130403, title: 'no', detail: null, retryAfter: null });
  const { tenant_id: tenant, sender_id: sender, message_id: message, attempt } = first;
  const failed = {
    tenant,
    sender,
    message,
    attempt,
    wamid: 'wamid.sent',
    at: 1,
    code: 131050,
    title: '',
    detail: null,
  };
  await applyReceipts(db, signals, { receipts: [], failed: [failed], doneWork: [] }, { ...RULES, refused });
  assert.deepEqual(
    told.map((one) => [one.message, one.code]),
    [
      [second.message_id, 130403],
      [message, 131050],
    ],
  );
});

test('refusals are kept beside the sending; those that are about no person are not looked at', async () => {
  const own = await world.tenant();
  const send = await own.sending({ category: 'marketing' });
  const stops = createProviderStops({ ...world, logger: { warn: assert.fail } });
  await stops.start();
  const refused = { tenant: own.tenant, message: send.message_id, code: 131026, at: Date.now() };
  stops.note([refused, { ...refused, code: 131050 }]);
  const { contact_id } = await own.read(send.message_id);
  await until('it is kept', async () => (await record(own, contact_id)).marketing_consent === 'out');
  await stops.stop();
});
