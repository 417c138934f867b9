import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { createBatchAcceptor } from '../../src/actions/accept-batch.ts';
import { createAcceptor } from '../../src/actions/accept-messages.ts';
import type { Idempotency } from '../../src/actions/accepted.ts';
import { applyReceipts } from '../../src/actions/apply-receipts.ts';
import type { BegunSend } from '../../src/actions/begin-sends.ts';
import { recordProviderStops } from '../../src/actions/provider-stops.ts';
import { type ReceivedMessage, receiveMessages } from '../../src/actions/receive-messages.ts';
import { type InstanceId, type MessageId, newId } from '../../src/domain/ids.ts';
import type { Fallback, NewMessage } from '../../src/domain/message.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import { findMessageWithTrail } from '../../src/store/messages.read.ts';
import { type EngineWorld, engineWorld, makeDue, newPhone, RULES, readLog, type TenantWorld } from '../engine-world.ts';
import { assertSound } from '../soundness.ts';

let world: EngineWorld;
let own: TenantWorld;
let address: string;

before(async () => {
  world = await engineWorld();
});
after(async () => {
  await assertSound(world.db);
  await world.close();
});
beforeEach(async () => {
  own = await world.tenant();
  address = newPhone();
});

const FALLBACK: Fallback = { name: 'come_back', language: 'en', components: [{ type: 'body' }], category: 'utility' };
const CLOSED: Outcome = { kind: 'error', code: 131047, title: 'Re-engagement message', detail: null, retryAfter: null };

const free = (change: Partial<NewMessage> = {}) => own.message({ address, needs_window: true, ...change });
const accept = (message: NewMessage, idempotency: Idempotency | null = null) =>
  createAcceptor({ db: world.db, signals: world.signals, slot: 0 }).accept(own.tenant, message, idempotency);
const keyed = (key: string): Idempotency => ({ key, hash: Buffer.from('the same request') });

/** The customer is known: his window ends so many seconds from now (null: he never wrote), and he gets none of some messages. */
async function known(ends: number | null, suppressed = 0): Promise<void> {
  const contact = newId();
  await world.db.script(`
    insert into contacts (tenant_id, id) values ('${own.tenant}', '${contact}');
    insert into contact_identities (tenant_id, contact_id, kind, value, suppressed)
    values ('${own.tenant}', '${contact}', 'phone', '${address}', ${suppressed});
    insert into conversations (tenant_id, id, sender_id, contact_id, window_expires_at)
    values ('${own.tenant}', '${newId()}', '${own.sender}', '${contact}', now() + interval '1 s' * ${ends});`);
}

async function stored(): Promise<number> {
  const count = { name: 'test_count', text: 'select count(*)::int as n from messages where tenant_id = $1' };
  return (await world.db.query<{ n: number }>(count, [own.tenant]))[0]?.n ?? -1;
}

/** What came of a request: the refusal, or the type of what was stored and what is warned of. */
async function outcomeOf(message: NewMessage): Promise<unknown> {
  const accepted = await accept(message);
  if (accepted.kind !== 'accepted') return 'code' in accepted ? accepted.code : accepted.kind;
  const { type, content, template, category } = await own.read(accepted.message.id);
  return { type, category, content, template, warnings: accepted.warnings ?? [] };
}

const asItIs = { type: 'text', category: 'service', content: { text: 'Hello' }, template: null, warnings: [] };
const instead = {
  type: 'template',
  category: 'utility',
  content: { text: 'Hello' },
  template: { name: 'come_back', language: 'en', components: [{ type: 'body' }] },
  warnings: ['sent_as_template'],
};

test('to a stranger and to whom the window is open or unknown everything is sent', async () => {
  assert.deepEqual(await outcomeOf(free({ fallback: FALLBACK })), asItIs);
  address = newPhone();
  await known(3600);
  assert.deepEqual(await outcomeOf(free()), asItIs);
  address = newPhone();
  await known(null);
  assert.deepEqual(await outcomeOf(free({ fallback: FALLBACK })), asItIs);
});

test('outside the window what is no template is refused, and nothing of it is stored', async () => {
  await known(-1);
  assert.equal(await outcomeOf(free()), 'window_closed');
  assert.equal(await stored(), 0);
  assert.deepEqual(await outcomeOf(free({ needs_window: false })), asItIs);
  const scheduled = await accept(free({ scheduled_at: Date.now() + 60_000 }));
  assert.equal(scheduled.kind, 'accepted');
});

test('outside the window the fallback goes, and says so again when the request is repeated', async () => {
  await known(-1);
  assert.deepEqual(await outcomeOf(free({ fallback: FALLBACK })), instead);
  const first = await accept(free({ fallback: FALLBACK }), keyed('once'));
  const again = await accept(free({ fallback: FALLBACK }), keyed('once'));
  assert.ok(first.kind === 'accepted' && again.kind === 'accepted');
  assert.deepEqual([again.replayed, again.message, again.warnings], [true, first.message, ['sent_as_template']]);
});

test('a repeat of what was accepted is answered as then, though it would be refused now', async () => {
  await known(3600);
  const first = await accept(free(), keyed('kept'));
  await world.db.script(`update conversations set window_expires_at = now() where tenant_id = '${own.tenant}'`);
  await world.db.script(`update contact_identities set suppressed = 2 where tenant_id = '${own.tenant}'`);
  const again = await accept(free(), keyed('kept'));
  assert.ok(first.kind === 'accepted' && again.kind === 'accepted');
  assert.deepEqual(again, { ...first, replayed: true });
  assert.equal((await accept(free())).kind, 'refused');
});

test('who opted out is sent nothing of that kind', async () => {
  await known(3600, 1);
  const offer = { type: 'template', category: 'marketing', template: { name: 'offer', language: 'en' } } as const;
  assert.equal(await outcomeOf(free({ ...offer })), 'recipient_suppressed');
  assert.deepEqual(await outcomeOf(free()), asItIs);
  await world.db.script(`update contact_identities set suppressed = 3 where tenant_id = '${own.tenant}'`);
  assert.equal(await outcomeOf(free()), 'recipient_suppressed');
  assert.equal(await stored(), 1);
});

test('of a batch each item is judged for itself, whole or in chunks', async () => {
  await known(-1);
  const closed = free();
  const barred = newPhone();
  const asked = [own.message(), closed, free({ fallback: FALLBACK }), own.message({ address: barred })];
  const items = asked.map((message) => ({ kind: 'message', message }) as const);
  address = barred;
  await known(3600, 2);
  const acceptBatch = createBatchAcceptor({
    db: world.db,
    signals: world.signals,
    instance: newId<InstanceId>(),
    slot: 0,
  });
  for (const key of [null, keyed('batch')]) {
    const batch = await acceptBatch(own.tenant, items, key);
    assert.ok(batch.kind === 'accepted');
    assert.deepEqual(
      batch.messages.map(({ index, warnings }) => ({ index, warnings })),
      [
        { index: 0, warnings: undefined },
        { index: 2, warnings: ['sent_as_template'] },
      ],
    );
    assert.deepEqual(
      batch.errors.map(({ index, error }) => ({ index, error })),
      [
        { index: 1, error: 'window_closed' },
        { index: 3, error: 'recipient_suppressed' },
      ],
    );
    if (key) assert.deepEqual(await acceptBatch(own.tenant, items, key), { ...batch, replayed: true });
  }
});

/** What became of a message whose window was found closed when it was sent. */
async function becameFallback(id: MessageId, source: 'answer' | 'receipt'): Promise<BegunSend> {
  const { state, type, category, content, template, wamid, error, sent_at } = await own.read(id);
  const { warnings: _, ...expected } = instead;
  assert.deepEqual(
    { state, type, category, content, template, wamid, error, sent_at },
    {
      state: 'queued',
      ...expected,
      wamid: null,
      error: null,
      sent_at: null,
    },
  );
  const trail = await findMessageWithTrail(world.db, own.tenant, id);
  assert.deepEqual(
    trail?.failures.map(({ attempt, code, source: by }) => ({ attempt, code, by })),
    [{ attempt: 1, code: 131047, by: source }],
  );
  await makeDue(world.db, id);
  const begun = (await own.begin()).find((send) => send.message_id === id);
  assert.ok(begun);
  assert.deepEqual([begun.type, begun.template, begun.attempt], ['template', expected.template, 2]);
  return begun;
}

test('an answer that the window is closed sends the fallback, once [code 131047]', async () => {
  const send = await own.sending({ fallback: FALLBACK });
  const settled = await own.settle(send, CLOSED);
  assert.deepEqual([settled.changed, settled.kind], [true, 'again']);
  const next = await becameFallback(send.message_id, 'answer');
  await own.settle(next, CLOSED);
  const { state, error } = await own.read(send.message_id);
  assert.deepEqual([state, error?.code], ['failed', 131047]);
  const log = await readLog(world.db, own.tenant, 3);
  assert.deepEqual(
    log.map(({ event_type }) => event_type),
    ['message.queued', 'message.queued', 'message.failed'],
  );
});

test('an answer that comes late finds a fallback too, and without one the message fails', async () => {
  const doubtful = await own.sending({ fallback: FALLBACK });
  await own.settle(doubtful, { kind: 'unknown', detail: 'cut' });
  await own.settle(doubtful, CLOSED);
  await becameFallback(doubtful.message_id, 'answer');
  const without = await own.sending();
  const settled = await own.settle(without, CLOSED);
  assert.deepEqual([settled.kind, (await own.read(without.message_id)).state], ['failed', 'failed']);
});

function toldClosed(send: BegunSend, attempt: number | null) {
  const failed = {
    tenant: own.tenant,
    sender: own.sender,
    message: send.message_id,
    wamid: `wamid.${send.message_id}`,
    attempt,
    at: Date.now(),
    code: 131047,
    title: 'Re-engagement message',
    detail: null,
  };
  return applyReceipts(world.db, world.signals, { receipts: [], failed: [failed], doneWork: [] }, RULES);
}

test('a receipt that the window was closed sends the fallback, and its repeat changes nothing [code 131047]', async () => {
  for (const [answer, attempt] of [
    [true, 1],
    [false, 1],
    [true, null],
  ] as const) {
    const send = await own.sending({ fallback: FALLBACK });
    if (answer) await own.settle(send, { kind: 'sent', wamid: `wamid.${send.message_id}` });
    assert.equal((await toldClosed(send, attempt)).changed, 1);
    const next = await becameFallback(send.message_id, 'receipt');
    await toldClosed(send, 1);
    await own.settle(next, { kind: 'sent', wamid: `wamid.next.${send.message_id}` });
    await toldClosed(send, 1);
    assert.equal((await own.read(send.message_id)).state, 'sent');
  }
});

test('what the customer opted out of meanwhile does not go as a fallback', async () => {
  const marketing = { ...FALLBACK, category: 'marketing' } as const;
  const send = await own.sending({ address, fallback: marketing });
  const other = await own.sending({ fallback: marketing });
  await world.db.script(
    `update contact_identities set suppressed = 1 where tenant_id = '${own.tenant}' and value = '${address}'`,
  );
  await own.settle(send, CLOSED);
  await own.settle(other, CLOSED);
  assert.equal((await own.read(send.message_id)).state, 'failed');
  assert.equal((await own.read(other.message_id)).state, 'queued');
});

test('a fallback that is paused waits, held by its template', async () => {
  const template = newId();
  await world.db.script(`
    insert into templates (tenant_id, account_id, id, name, language, status, category, components)
    values ('${own.tenant}', '1', '${template}', 'come_back', 'en', 'PAUSED', 'utility', '[]')`);
  const fallback = { ...FALLBACK, template_id: template, held: 'template' } as Fallback;
  const held = {
    name: 'test_held',
    text: 'select held, template_id from due where tenant_id = $1 order by message_id',
  };
  await known(-1);
  await accept(free({ fallback }));
  const send = await own.sending({ fallback });
  await own.settle(send, CLOSED);
  const late = await own.sending({ fallback });
  await own.settle(late, { kind: 'sent', wamid: `wamid.${late.message_id}` });
  await toldClosed(late, 1);
  const waiting = { held: 'template', template_id: template };
  assert.deepEqual(await world.db.query<object>(held, [own.tenant]), [waiting, waiting, waiting]);
  assert.deepEqual(await own.begin(), []);
});

test('a refusal for a closed window closes it here too, unless the customer has written since', async () => {
  await known(3600);
  const refused = await own.accept({ address });
  const told = () =>
    recordProviderStops(world, [{ tenant: own.tenant, message: refused, code: 131047, at: Date.now() }]);
  const written: ReceivedMessage = {
    tenant: own.tenant,
    sender: own.sender,
    wamid: `wamid.${newId()}`,
    at: Date.now(),
    phone: address,
    userId: null,
    name: null,
    type: 'text',
    content: { text: 'Hi' },
    replyTo: null,
  };
  await told();
  assert.equal(await outcomeOf(free()), 'window_closed');
  await receiveMessages(world.db, world.signals, [written], 0);
  assert.deepEqual(await outcomeOf(free()), asItIs);
  await told();
  assert.deepEqual(await outcomeOf(free()), asItIs);
});
