import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, afterEach, before, test } from 'node:test';
import { createAcceptor } from '../../src/actions/accept-messages.ts';
import type { Accepted, Idempotency } from '../../src/actions/accepted.ts';
import { openPool } from '../../src/db/pool.ts';
import { armFailpoints, parseFailpoint } from '../../src/runtime/failpoints.ts';
import { type EngineWorld, engineWorld, newPhone, readLog, type TenantWorld } from '../engine-world.ts';
import { assertSound } from '../soundness.ts';

let world: EngineWorld;

before(async () => {
  world = await engineWorld();
});
afterEach(async () => {
  armFailpoints([]);
  await assertSound(world.db);
});
after(() => world.close());

const keyed = (key: string, body = 'body'): Idempotency => ({ key, hash: createHash('sha256').update(body).digest() });

/** How many rows a tenant has, by table. */
async function rows({ tenant }: TenantWorld): Promise<Record<string, number>> {
  const tables = ['messages', 'due', 'events', 'contacts', 'contact_identities', 'conversations', 'idempotency_keys'];
  const counts = tables.map((table) => `(select count(*) from ${table} where tenant_id = $1) as ${table}`);
  const [found] = await world.db.query<Record<string, number>>({ name: 'test_rows', text: `select ${counts}` }, [
    tenant,
  ]);
  return found ?? {};
}

function idOf(accepted: Accepted): string {
  assert.equal(accepted.kind, 'accepted');
  return accepted.kind === 'accepted' ? accepted.message.id : '';
}

test('one message is a row of each kind, told of in one event', async () => {
  const own = await world.tenant();
  const acceptor = createAcceptor(world);
  const told: string[] = [];
  const stops = [
    world.signals.listen(`due:${own.lane}`, () => told.push('due')),
    world.signals.listen(`events:${own.tenant}`, () => told.push('events')),
  ];
  const at = Date.now() + 3_600_000;
  const message = own.message({
    type: 'document',
    category: 'utility',
    priority: 2,
    content: { text: 'NUL \0 half \ud800', media_url: 'https://a.example/b.pdf', filename: 'b.pdf' },
    template: { name: 'hi', language: 'id', components: [{ type: 'body' }] },
    metadata: { order: 7, 'ä€😀': [null, 1.5] },
    reply_to: 'wamid.Q',
    scheduled_at: at,
    expires_at: at + 60_000,
  });
  const answer = await acceptor.accept(own.tenant, message, keyed('one'));
  assert.deepEqual(told, ['events'], 'a lane need not hear of what leaves later');
  assert.deepEqual(await rows(own), {
    messages: 1,
    due: 1,
    events: 1,
    contacts: 1,
    contact_identities: 1,
    conversations: 1,
    idempotency_keys: 1,
  });
  assert.ok(answer.kind === 'accepted' && !answer.replayed);
  const stored = await own.read(answer.message.id);
  const { type, category, priority, address, metadata, template, reply_to } = message;
  const { sender_id, contact_id, conversation_id, created_at, scheduled_at } = stored;
  assert.deepEqual(
    { ...stored },
    {
      ...stored,
      ...{ state: 'queued', direction: 'outbound', type, category, priority, address, metadata, template, reply_to },
      ...{ content: { ...message.content, text: 'NUL \ufffd half \ufffd' }, attempt: 0, error: null, wamid: null },
      ...{ due_at: new Date(at), scheduled_at: new Date(at), expires_at: new Date(at + 60_000) },
    },
  );
  assert.deepEqual(answer.message, {
    id: stored.id,
    sender_id,
    contact_id,
    conversation_id,
    address,
    type,
    created_at,
    scheduled_at,
  });
  const events = await readLog(world.db, own.tenant, 1);
  await acceptor.accept(own.tenant, own.message(), null);
  for (const stop of stops) stop();
  assert.ok(told.includes('due'), 'the lane hears of what may leave now');
  assert.deepEqual(
    events.map((event) => [event.event_type, event.data, event.id]),
    [['message.queued', { state: 'queued' }, stored.id]],
  );
});

test('fifty requests with one key are one message and one answer', async () => {
  const own = await world.tenant();
  const other = openPool({ connection: world.database.url, max: 4, onError: () => {} });
  const [one, two] = [createAcceptor(world), createAcceptor({ db: other, signals: world.signals, slot: 4 })];
  const message = own.message();
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, i) => (i % 2 ? one : two).accept(own.tenant, message, keyed('same'))),
  );
  await other.close();
  const ids = answers.map(idOf);
  assert.equal(new Set(ids).size, 1);
  assert.equal(answers.filter((answer) => answer.kind === 'accepted' && !answer.replayed).length, 1);
  const first = answers[0]?.kind === 'accepted' && answers[0].message;
  for (const answer of answers) assert.deepEqual(answer.kind === 'accepted' && answer.message, first);
  assert.equal((await rows(own))['messages'], 1);
});

test('a key used for another body is a mismatch, also when both come at once; another tenant may use it', async () => {
  const own = await world.tenant();
  const other = await world.tenant();
  const acceptor = createAcceptor(world);
  const answers = await Promise.all([
    acceptor.accept(own.tenant, own.message(), keyed('k', 'one')),
    acceptor.accept(own.tenant, own.message(), keyed('k', 'two')),
    acceptor.accept(other.tenant, other.message(), keyed('k', 'three')),
  ]);
  assert.deepEqual(
    answers.map((answer) => answer.kind),
    ['accepted', 'mismatch', 'accepted'],
  );
  const later = await acceptor.accept(own.tenant, own.message(), keyed('k', 'two'));
  assert.equal(later.kind, 'mismatch');
});

test('instances that meet a new customer at the same moment make one contact and one conversation', async () => {
  const own = await world.tenant();
  const other = openPool({ connection: world.database.url, max: 4, onError: () => {} });
  const acceptors = [createAcceptor(world), createAcceptor({ db: other, signals: world.signals, slot: 4 })];
  for (let round = 0; round < 8; round++) {
    const address = newPhone();
    // Both look before either writes.
    armFailpoints([parseFailpoint('accept.before_commit=delay:30ms')]);
    const answers = await Promise.all(
      acceptors.flatMap((acceptor) => [1, 2, 3].map(() => acceptor.accept(own.tenant, own.message({ address }), null))),
    );
    const contacts = answers.map((answer) => answer.kind === 'accepted' && answer.message.contact_id);
    const conversations = answers.map((answer) => answer.kind === 'accepted' && answer.message.conversation_id);
    assert.deepEqual([new Set(contacts).size, new Set(conversations).size, new Set(answers.map(idOf)).size], [1, 1, 6]);
  }
  await other.close();
  const { contacts, conversations, messages } = await rows(own);
  assert.deepEqual({ contacts, conversations, messages }, { contacts: 8, conversations: 8, messages: 48 });
});

test('one value that cannot be stored spoils its own request only', async () => {
  const own = await world.tenant();
  const acceptor = createAcceptor(world);
  const results = await Promise.allSettled(
    ['+62811', '+62\0', '+62812', '+62813'].map((address) =>
      acceptor.accept(own.tenant, own.message({ address }), null),
    ),
  );
  assert.deepEqual(
    results.map((one) => one.status),
    ['fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
  );
  assert.equal((await rows(own))['messages'], 3);
  assert.equal(acceptor.waiting, 0);
});

test('nothing of a failed commit stands, and the key may be used again', async () => {
  const own = await world.tenant();
  const acceptor = createAcceptor(world);
  armFailpoints([parseFailpoint('accept.before_commit=error')]);
  const message = own.message();
  await assert.rejects(acceptor.accept(own.tenant, message, keyed('again')));
  armFailpoints([parseFailpoint('accept.after_commit=error')]);
  await assert.rejects(acceptor.accept(own.tenant, message, keyed('again')));
  armFailpoints([]);
  const answer = await acceptor.accept(own.tenant, message, keyed('again'));
  assert.ok(answer.kind === 'accepted' && answer.replayed, 'the second one was committed, though nobody was told');
  assert.equal((await rows(own))['messages'], 1);
});

test('requests of several tenants that arrive together keep apart', async () => {
  const tenants = await Promise.all([world.tenant(), world.tenant()].map((one) => one));
  const acceptor = createAcceptor(world);
  const address = newPhone();
  const answers = await Promise.all(
    Array.from({ length: 300 }, (_, i) => {
      const own = tenants[i % 2] ?? assert.fail('no tenant');
      return acceptor.accept(own.tenant, own.message({ address }), keyed(`k${Math.floor(i / 2)}`));
    }),
  );
  assert.equal(new Set(answers.map(idOf)).size, 300);
  for (const own of tenants) {
    const { messages, contacts, conversations, due } = await rows(own);
    assert.deepEqual(
      { messages, contacts, conversations, due },
      { messages: 150, contacts: 1, conversations: 1, due: 150 },
    );
  }
});
