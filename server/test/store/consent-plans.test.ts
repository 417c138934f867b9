import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Queryable } from '../../src/db/pool.ts';
import { type ContactId, type EventId, firstIdAt, newId } from '../../src/domain/ids.ts';
import { findRecentConsents, findTenantKeywords, listConsents } from '../../src/store/consents.read.ts';
import { settleConsents, suppressQueued } from '../../src/store/consents.write.ts';
import { findContactRecord, listContacts } from '../../src/store/contact-records.read.ts';
import { type EngineWorld, engineWorld, type TenantWorld } from '../engine-world.ts';
import { assertCheap } from './cheap-plans.ts';

/* What is asked of contacts and their consent costs the same at ten contacts and at ten million. */

const CONTACTS = 20_000;
let world: EngineWorld;
let own: TenantWorld;
let contact: ContactId;

before(async () => {
  world = await engineWorld();
  own = await world.tenant();
  contact = (await own.read(await own.accept())).contact_id;
  const text = `
    with c as (
      insert into contacts (tenant_id, id, name) select $1, gen_random_uuid(), 'c' || i from generate_series(1, $2) as i
      returning id
    ), n as (
      insert into contact_identities (tenant_id, kind, value, contact_id)
      select $1, 'bsuid', 'ID.' || replace(id::text, '-', ''), id from c
    ), v as (
      insert into conversations (tenant_id, id, sender_id, contact_id) select $1, gen_random_uuid(), $3, id from c
    )
    insert into consents (tenant_id, contact_id, id, scope, state, source, at)
    select $1, id, gen_random_uuid(), 'marketing', 'out', 'import', now() from c`;
  await world.db.query({ name: 'test_many', text }, [own.tenant, CONTACTS, own.sender]);
  await world.db.script('analyze contacts, contact_identities, conversations, consents');
});
after(() => world.close());

const cheap = (most: number, ask: (tx: Queryable) => Promise<unknown>) => assertCheap(world.db, most, ask);

const key = () => ({ tenant_id: own.tenant, contact_id: contact });

test('a contact is found, and its consents are listed, by index', async () => {
  await cheap(2, (tx) => findContactRecord(tx, own.tenant, contact));
  await cheap(2, (tx) => findContactRecord(tx, own.tenant, 'external'));
  await cheap(2, (tx) => listContacts(tx, own.tenant, { phone: '+6281299999999' }, null, 50));
  await cheap(2, (tx) => listContacts(tx, own.tenant, { user_id: 'ID.x', external_id: 'y' }, null, 50));
  await cheap(50, (tx) => listConsents(tx, own.tenant, contact, null, 50));
});

test('a page of contacts takes no more than the page; a filter that nothing matches 5,000', async () => {
  await cheap(51, (tx) => listContacts(tx, own.tenant, {}, null, 50));
  await cheap(5_000, (tx) => listContacts(tx, own.tenant, { name: 'nobody' }, null, 50));
});

test('a filter that nothing matches comes to the end of the list, page by page', async () => {
  let pages = 0;
  for (let before: string | null = null, ended = false; !ended; pages++) {
    const { contacts, next } = await listContacts(world.db, own.tenant, { name: 'nobody' }, before, 50);
    assert.equal(contacts.length, 0);
    ended = next === null;
    before = next;
  }
  assert.equal(pages, 5);
});

test("a change of one contact's consent looks at this contact only", async () => {
  await cheap(3, (tx) => settleConsents(tx, [{ ...key(), scope: 'marketing' }]));
  await cheap(3, (tx) => suppressQueued(tx, [{ ...key(), mask: 1 }], [newId<EventId>()], 0));
});

test('what was written lately, and who has own keywords, is found by index', async () => {
  await cheap(500, (tx) => findRecentConsents(tx, firstIdAt(0), firstIdAt(Date.now()), 500));
  await cheap(0, (tx) => findTenantKeywords(tx, 10));
});
