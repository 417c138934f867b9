import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { retryMessage } from '../../src/actions/change-message.ts';
import { giveConsents } from '../../src/actions/consent.ts';
import { giveConsentsByAddress } from '../../src/actions/consent-lists.ts';
import type { Consent } from '../../src/domain/consent.ts';
import { type BatchId, type ContactId, type MessageId, newId } from '../../src/domain/ids.ts';
import { createLateMessages } from '../../src/jobs/late-messages.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { releaseMessages } from '../../src/store/batches.write.ts';
import { findContactRecord } from '../../src/store/contact-records.read.ts';
import { type EngineWorld, engineWorld, newPhone, readLog, type TenantWorld } from '../engine-world.ts';
import { assertSound } from '../soundness.ts';
import { until } from '../until.ts';

let world: EngineWorld;
before(async () => {
  world = await engineWorld();
});
afterEach(() => assertSound(world.db));
after(() => world.close());

const MARKETING = { category: 'marketing' } as const;

async function contactOf(own: TenantWorld, message: MessageId): Promise<ContactId> {
  return (await own.read(message)).contact_id;
}

function said(own: TenantWorld, contact: ContactId, change: Partial<Consent> = {}): Consent {
  return {
    tenant: own.tenant,
    contact,
    scope: 'marketing',
    state: 'out',
    source: 'api',
    detail: null,
    message: null,
    at: Date.now(),
    ...change,
  };
}

async function suppressed(own: TenantWorld, contact: ContactId): Promise<number[]> {
  const text = 'select suppressed from contact_identities where tenant_id = $1 and contact_id = $2 order by value';
  const rows = await world.db.query<{ suppressed: number }>({ name: 'test_suppressed', text }, [own.tenant, contact]);
  return rows.map((row) => row.suppressed);
}

async function history(contact: ContactId): Promise<number> {
  const text = 'select count(*)::int as n from consents where contact_id = $1';
  return (await world.db.query<{ n: number }>({ name: 'test_history', text }, [contact]))[0]?.n ?? -1;
}

test('what an opt-out ends between two attempts keeps the number of them: sent again, they count on', async () => {
  const own = await world.tenant();
  const send = await own.sending(MARKETING);
  await own.settle(send, { kind: 'error', code: 2, title: 'later', detail: null, retryAfter: null });
  const contact = await contactOf(own, send.message_id);
  assert.equal((await giveConsents(world, [said(own, contact)])).stopped, 1);
  const { state, attempt } = await own.read(send.message_id);
  assert.deepEqual([state, attempt], ['failed', 1]);
  await giveConsents(world, [said(own, contact, { state: 'in' })]);
  assert.equal(await retryMessage(world.db, world.signals, own.tenant, send.message_id, null), 'queued');
  const [again] = await own.begin();
  assert.deepEqual([again?.message_id, again?.attempt], [send.message_id, 2]);
});

test('who opts out of marketing gets none of what waits of it, and all else', async () => {
  const own = await world.tenant();
  const address = newPhone();
  const due = await own.accept({ ...MARKETING, address });
  const later = await own.accept({ ...MARKETING, address, scheduled_at: Date.now() + 3_600_000 });
  const service = await own.accept({ address });
  const others = await own.accept(MARKETING);
  const given = await giveConsents(world, [said(own, await contactOf(own, due))]);
  assert.equal(given.stopped, 2);
  for (const id of [due, later]) {
    const { state, error } = await own.read(id);
    assert.deepEqual([state, error?.error, error?.code], ['failed', 'recipient_suppressed', 0]);
  }
  assert.equal((await own.read(service)).state, 'queued');
  assert.equal((await own.read(others)).state, 'queued');
  const log = await readLog(world.db, own.tenant, 6);
  assert.equal(log.filter((event) => event.event_type === 'message.failed').length, 2);
  assert.deepEqual(await suppressed(own, await contactOf(own, due)), [1]);
});

test('who opts out of everything gets nothing of what waits; what is on its way stays', async () => {
  const own = await world.tenant();
  const address = newPhone();
  const way = await own.sending({ address });
  const again = await own.sending({ address });
  await own.settle(again, { kind: 'error', code: 131016, title: 'later', detail: null, retryAfter: null });
  const waits = await own.accept({ address });
  const held = await own.accept({ address });
  await world.db.query({ name: 'test_hold', text: `update due set held = 'template' where message_id = $1` }, [held]);
  const contact = await contactOf(own, waits);
  assert.equal((await giveConsents(world, [said(own, contact, { scope: 'all' })])).stopped, 3);
  const states = await Promise.all([way.message_id, again.message_id, waits, held].map((id) => own.read(id)));
  assert.deepEqual(
    states.map(({ state }) => state),
    ['sending', 'failed', 'failed', 'failed'],
  );
  assert.deepEqual(await suppressed(own, contact), [2]);
});

test('of each scope the latest word holds, in whatever order words are heard', async () => {
  const own = await world.tenant();
  const contact = await contactOf(own, await own.accept());
  const now = Date.now();
  await giveConsents(world, [said(own, contact, { at: now })]);
  await giveConsents(world, [said(own, contact, { state: 'in', at: now - 1000 })]);
  assert.deepEqual(await suppressed(own, contact), [1]);
  await giveConsents(world, [said(own, contact, { scope: 'all', at: now })]);
  assert.deepEqual(await suppressed(own, contact), [3]);
  const { settled } = await giveConsents(world, [said(own, contact, { state: 'in', at: now + 1000 })]);
  assert.deepEqual([settled[0]?.marketing_consent, settled[0]?.contact_consent, settled[0]?.mask], ['in', 'out', 2]);
  assert.deepEqual(await suppressed(own, contact), [2]);
  const record = await findContactRecord(world.db, own.tenant, contact);
  assert.deepEqual([record?.marketing_consent, record?.contact_consent], ['in', 'out']);
  assert.equal(await history(contact), 4);
});

test('what one message says counts once; what the API says counts each time', async () => {
  const own = await world.tenant();
  const contact = await contactOf(own, await own.accept());
  const word = said(own, contact, { source: 'keyword', message: newId<MessageId>() });
  await Promise.all([1, 2, 3, 4].map(() => giveConsents(world, [word])));
  assert.equal(await history(contact), 1);
  const webhook = said(own, contact, { source: 'whatsapp' });
  await giveConsents(world, [webhook]);
  await giveConsents(world, [webhook]);
  assert.equal(await history(contact), 2);
  const byApi = said(own, contact);
  await giveConsents(world, [byApi]);
  await giveConsents(world, [byApi]);
  assert.equal(await history(contact), 4);
});

test('many say many things of one contact at once: the latest holds', async () => {
  const own = await world.tenant();
  const contact = await contactOf(own, await own.accept());
  const now = Date.now();
  const words = Array.from({ length: 6 }, (_, i) =>
    said(own, contact, { state: i % 2 === 0 ? 'out' : 'in', at: now + i }),
  );
  await Promise.all(words.map((word) => giveConsents(world, [word])));
  assert.equal(await history(contact), 6);
  assert.deepEqual(await suppressed(own, contact), [0]);
});

test('of an opt-out and a begin at the same moment one wins, for each message', async () => {
  const own = await world.tenant();
  const address = newPhone();
  const ids = await Promise.all(Array.from({ length: 60 }, () => own.accept({ ...MARKETING, address })));
  const contact = await contactOf(own, ids[0] as MessageId);
  const [begun, given] = await Promise.all([own.begin(), giveConsents(world, [said(own, contact)])]);
  const left = new Set(begun.map((send) => send.message_id));
  for (const id of ids) assert.equal((await own.read(id)).state, left.has(id) ? 'sending' : 'failed');
  assert.equal(given.stopped, ids.length - left.size);
});

test('more messages than one statement ends are all ended', async () => {
  const own = await world.tenant();
  const address = newPhone();
  const [first] = await Promise.all(Array.from({ length: 620 }, () => own.accept({ ...MARKETING, address })));
  assert.equal((await giveConsents(world, [said(own, await contactOf(own, first as MessageId))])).stopped, 620);
});

test('a message of a batch that is still being stored is ended, and never made due', async () => {
  const own = await world.tenant();
  const id = await own.accept(MARKETING);
  const batch = newId<BatchId>();
  const text = `
    with b as (insert into batches (tenant_id, id, total, stored_through, accepted) values ($1, $2, 2, 1, 1)),
    d as (delete from due where message_id = $3)
    update messages set batch_id = $2, batch_index = 0 where tenant_id = $1 and id = $3`;
  await world.db.query({ name: 'test_unfinished', text }, [own.tenant, batch, id]);
  assert.equal((await giveConsents(world, [said(own, await contactOf(own, id))])).stopped, 1);
  await releaseMessages(world.db, own.tenant, batch);
  await world.db.query({ name: 'test_finished', text: 'update batches set complete = true where id = $1' }, [batch]);
  assert.equal((await own.read(id)).state, 'failed');
});

test('people who are named by address become contacts, once each, and are not written to', async () => {
  const own = await world.tenant();
  const known = newPhone();
  const waits = await own.accept({ address: known });
  const stranger = newPhone();
  const by = (kind: 'phone' | 'bsuid', value: string) => ({
    scope: 'all' as const,
    state: 'out' as const,
    source: 'import' as const,
    detail: 'list of May',
    message: null,
    at: Date.now(),
    person: { addresses: [{ kind, value }], name: null },
  });
  const list = [by('phone', known), by('phone', stranger), by('bsuid', 'ID.Stranger1'), by('phone', stranger)];
  const given = await giveConsentsByAddress(world, own.tenant, list);
  assert.equal(given.stopped, 1);
  assert.equal((await own.read(waits)).state, 'failed');
  assert.equal(given.contacts[1], given.contacts[3]);
  assert.equal(new Set(given.contacts).size, 3);
  assert.deepEqual(await suppressed(own, given.contacts[2] as ContactId), [2]);
  const again = await giveConsentsByAddress(world, own.tenant, list);
  assert.deepEqual(again.contacts, given.contacts);
});

test('two lists with the same strangers at once make each of them one contact', async () => {
  const own = await world.tenant();
  const phones = Array.from({ length: 30 }, newPhone);
  const list = phones.map((value) => ({
    ...({ scope: 'marketing', state: 'out', source: 'import', detail: null, message: null, at: Date.now() } as const),
    person: { addresses: [{ kind: 'phone' as const, value }], name: null },
  }));
  const [one, other] = await Promise.all([1, 2].map(() => giveConsentsByAddress(world, own.tenant, list)));
  assert.deepEqual(one?.contacts, other?.contacts);
});

test('a message that was being accepted while its recipient opted out is stopped a moment later', async () => {
  const own = await world.tenant();
  const address = newPhone();
  const contact = await contactOf(own, await own.accept({ address }));
  // It has read that he agrees, and writes after he has said that he does not.
  const waiting = {
    name: 'test_waiting',
    text: `select count(*)::int as n from pg_locks where not granted and relation = 'media_references'::regclass
      and database = (select oid from pg_database where datname = current_database())`,
  };
  const accepting = await world.db.transaction(async (tx) => {
    await tx.script('lock table media_references in share row exclusive mode');
    const accept = own.accept({ ...MARKETING, address });
    await until('it waits to write', async () => (await world.db.query<{ n: number }>(waiting))[0]?.n === 1);
    await giveConsents(world, [said(own, contact)]);
    return { accept };
  });
  const late = await accepting.accept;
  assert.equal((await own.read(late)).state, 'queued');
  const job = createLateMessages({
    ...world,
    clock: systemClock,
    logger: { warn: assert.fail, info: () => {} },
    ages: [0],
    every: 10,
  });
  await job.start();
  try {
    await until('it is stopped', async () => (await own.read(late)).state === 'failed');
  } finally {
    await job.stop();
  }
  assert.equal((await own.read(late)).error?.error, 'recipient_suppressed');
});
