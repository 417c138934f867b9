import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createApiKeys } from '../../src/actions/api-keys.ts';
import { pruneStore } from '../../src/actions/keep-store.ts';
import { createTickets, type TicketActions } from '../../src/actions/tickets.ts';
import { newId, type TenantId } from '../../src/domain/ids.ts';
import { hashTicket, isTicket, newTicket } from '../../src/domain/ticket.ts';
import { memorySignals } from '../../src/signals/signals.ts';
import { insertTenant } from '../../src/store/set-up.write.ts';
import { type TestDatabase, testDatabase } from '../database.ts';

let database: TestDatabase;
let tickets: TicketActions;
const tenant = newId<TenantId>();
before(async () => {
  database = await testDatabase();
  await insertTenant(database.db, tenant, 'test');
  tickets = createTickets({ db: database.db });
});
after(() => database.drop());

const SCOPES = ['conversations:read'];
const forUser = (session_until: Date | null = null) =>
  tickets.issue(tenant, { user_id: 'ana', key_id: null, scopes: SCOPES, session_until });

async function rows(): Promise<{ hash: Buffer; expires_at: Date }[]> {
  return database.db.query({ name: 'test_tickets', text: 'select hash, expires_at from tickets' });
}

test('a ticket counts once, and only its hash is stored', async () => {
  const before = Date.now();
  const { ticket, expires_at } = await forUser();
  assert.ok(isTicket(ticket));
  assert.ok(Math.abs(expires_at.getTime() - before - 30_000) < 5000);
  assert.deepEqual(
    (await rows()).map(({ hash }) => hash),
    [hashTicket(ticket)],
  );
  const { user_id, tenant_id, scopes, key_id } = (await tickets.redeem(ticket)) ?? {};
  assert.deepEqual([user_id, tenant_id, scopes, key_id], ['ana', tenant, SCOPES, null]);
  assert.equal(await tickets.redeem(ticket), null);
  assert.deepEqual(await rows(), []);
});

test('of twenty who come with one ticket at the same time, one gets in', async () => {
  for (let round = 0; round < 10; round++) {
    const { ticket } = await forUser();
    const found = await Promise.all(Array.from({ length: 20 }, () => tickets.redeem(ticket)));
    assert.equal(found.filter((holder) => holder !== null).length, 1);
  }
});

test('a ticket that has run out opens nothing, and is removed in time', async () => {
  const late = await forUser();
  const open = await forUser();
  const past = "update tickets set expires_at = clock_timestamp() - interval '1 second' where hash = $1";
  await database.db.query({ name: 'test_late', text: past }, [hashTicket(late.ticket)]);
  const unused = await forUser();
  await database.db.query({ name: 'test_late', text: past }, [hashTicket(unused.ticket)]);
  assert.equal(await tickets.redeem(late.ticket), null);
  await pruneStore(database.db, { keys: 60_000, webhooks: 60_000 }, Date.now());
  assert.deepEqual(
    (await rows()).map(({ hash }) => hash),
    [hashTicket(open.ticket)],
  );
  assert.notEqual(await tickets.redeem(open.ticket), null);
});

test('a ticket ends with what it was asked for with, and carries that end', async () => {
  const until = new Date(Date.now() + 10_000);
  const short = await forUser(until);
  assert.deepEqual(short.expires_at, until);
  assert.deepEqual((await tickets.redeem(short.ticket))?.session_until, until);
  assert.equal(await tickets.redeem((await forUser(new Date(Date.now() - 1000))).ticket), null);
});

test('a ticket of a key that was revoked since opens nothing', async () => {
  const keys = createApiKeys({ db: database.db, signals: memorySignals() });
  const values = { name: 'backend', scopes: ['act_as'], dialect: 'aldis', expires_at: null } as const;
  const { id } = await keys.create(tenant, { ...values, scopes: ['act_as'] });
  const issue = () => tickets.issue(tenant, { user_id: 'ana', key_id: id, scopes: SCOPES, session_until: null });
  const [first, second] = [await issue(), await issue()];
  assert.equal((await tickets.redeem(first.ticket))?.key_id, id);
  await keys.revoke(tenant, id);
  assert.equal(await tickets.redeem(second.ticket), null);
});

test('what was never given is no ticket', async () => {
  for (const text of ['', 'ticket_', newTicket(), `${newTicket()}x`, "ticket_' or true --", 'x'.repeat(100_000)]) {
    assert.equal(await tickets.redeem(text), null, text.slice(0, 40));
  }
});
