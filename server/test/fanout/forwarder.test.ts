import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { applyReceipts } from '../../src/actions/apply-receipts.ts';
import type { BegunSend } from '../../src/actions/begin-sends.ts';
import { recordMessage } from '../../src/actions/record-messages.ts';
import { type MessageId, newId } from '../../src/domain/ids.ts';
import type { NewMessage } from '../../src/domain/message.ts';
import type { ReceiptStatus } from '../../src/domain/receipt.ts';
import { CONVERSATION_SERVICE, createForwarder } from '../../src/fanout/conversation-service/forwarder.ts';
import { conversationService } from '../../src/outside/conversation-service.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import type { Part } from '../../src/runtime/lifecycle.ts';
import { createMetrics } from '../../src/runtime/metrics.ts';
import { findOldestUnread } from '../../src/store/sent-messages.read.ts';
import { type EngineWorld, engineWorld, newPhone, RULES, type TenantWorld } from '../engine-world.ts';
import { logReadable } from '../readable-log.ts';
import { assertSound } from '../soundness.ts';
import { until } from '../until.ts';
import { type ConversationServer, conversationServer, says, takes } from './conversation-server.ts';

interface Scene {
  world: EngineWorld;
  server: ConversationServer;
  /** What the forwarders logged. */
  logged: { about: Record<string, unknown>; text: string }[];
  forward(options?: { lease?: number; timeout?: number; alone?: boolean; url?: string }): Promise<Part>;
  /** Resolves when the log is read to its end. */
  allRead(): Promise<void>;
}

async function scene(t: TestContext): Promise<Scene> {
  const [world, server] = [await engineWorld(), await conversationServer()];
  const forwarders: Part[] = [];
  const logged: Scene['logged'] = [];
  const log = (about: object, text = '') => void logged.push({ about: { ...about }, text });
  t.after(async () => {
    for (const one of forwarders) await one.stop();
    await server.close();
    await world.close();
  });
  return {
    world,
    server,
    logged,
    async forward({ lease = 20_000, timeout = 2000, alone = false, url = server.url } = {}) {
      const forwarder = createForwarder({
        db: world.db,
        signals: world.signals,
        service: conversationService(url, timeout),
        clock: systemClock,
        logger: { error: log, warn: log, info: log },
        metrics: createMetrics({ version: 'test', node: false }),
        instance: newId(),
        alone,
        pollInterval: 10,
        lease,
      });
      forwarders.push(forwarder);
      await forwarder.start();
      return forwarder;
    },
    async allRead() {
      await logReadable(world.db);
      await until('all is read', async () => (await findOldestUnread(world.db, CONVERSATION_SERVICE)) === null);
    },
  };
}

/** A message that the provider took. */
async function send(tenant: TenantWorld, text: string, change: Partial<NewMessage> = {}): Promise<MessageId> {
  const begun = await tenant.sending({ content: { text }, ...change });
  await tenant.settle(begun, { kind: 'sent', wamid: `wamid.${begun.message_id}` });
  return begun.message_id;
}

/** Receipts for an attempt, all at one time. */
async function tell({ db, signals }: EngineWorld, tenant: TenantWorld, send: BegunSend, ...words: ReceiptStatus[]) {
  const receipts = words
    .filter((status) => status !== 'failed')
    .map((status) => ({
      tenant: tenant.tenant,
      sender: tenant.sender,
      message: send.message_id,
      wamid: `wamid.${send.message_id}`,
      attempt: send.attempt,
      status,
      at: send.started_at - 5000,
    }));
  await applyReceipts(db, signals, { receipts, failed: [], doneWork: [] }, RULES);
}

const texts = ({ posted }: ConversationServer) => posted.map(({ body }) => body.content);

test('every message that becomes sent is stored as documented, from the first start on', async (t) => {
  const { world, server, forward, allRead } = await scene(t);
  const tenant = await world.tenant();
  await send(tenant, 'before');
  await logReadable(world.db);
  await forward();
  const id = await send(tenant, 'Hello!', { sender_type: 'agent' });
  const other = await world.tenant();
  await world.db.script(`update tenants set external_id = 'shop-1' where id = '${other.tenant}'`);
  const begun = await other.sending({ content: null, type: 'template', template: { name: 'welcome', language: 'en' } });
  await world.db.script(`update conversations set external_id = 'conv-1' where tenant_id = '${other.tenant}'`);
  await other.settle(begun, { kind: 'sent', wamid: 'wamid.2' });
  await until('both are stored', () => server.posted.length === 2);
  await allRead();

  const { conversation_id } = await tenant.read(id);
  const [one, two] = server.posted.toSorted((a, b) => b.tenant.length - a.tenant.length);
  assert.deepEqual(one, {
    tenant: tenant.tenant,
    path: '/api/v1/messages',
    body: { conversation_id, sender_type: 'agent', content: 'Hello!', whatsapp_message_id: `wamid.${id}` },
  });
  assert.deepEqual(two, {
    tenant: 'shop-1',
    path: '/api/v1/messages',
    body: { conversation_id: 'conv-1', sender_type: 'llm', content: 'welcome', whatsapp_message_id: 'wamid.2' },
  });
});

test('once each: receipts before, after and in place of the answer, repeated and skipping; never what did not leave', async (t) => {
  const { world, server, forward, allRead } = await scene(t);
  const tenant = await world.tenant();
  await forward();
  const begin = (text: string) => tenant.sending({ content: { text } });

  const usual = await begin('usual');
  await tenant.settle(usual, { kind: 'sent', wamid: `wamid.${usual.message_id}` });
  // Earlier than the answer's own time: the row changes, and says 'sent' once more.
  await tell(world, tenant, usual, 'sent');
  await tell(world, tenant, usual, 'delivered', 'read');

  const skipped = await begin('skipped');
  await tell(world, tenant, skipped, 'read');
  await tenant.settle(skipped, { kind: 'sent', wamid: `wamid.${skipped.message_id}` });

  const doubted = await begin('doubted');
  await tenant.settle(doubted, { kind: 'unknown', detail: 'cut' });
  await tell(world, tenant, doubted, 'sent');
  await tell(world, tenant, doubted, 'delivered');

  const refused = await begin('refused');
  const error = { kind: 'error', code: 131026, title: 'Undeliverable', detail: null, retryAfter: null } as const;
  await tenant.settle(refused, error);
  const revived = await begin('revived');
  await tenant.settle(revived, error);
  await tell(world, tenant, revived, 'delivered');

  // What somebody else sent is only kept here: that it was said is not ours to tell.
  const { conversation_id: id, contact_id, address } = await tenant.read(usual.message_id);
  const said = { wamid: 'wamid.theirs', type: 'text', content: { text: 'theirs' }, metadata: null } as const;
  await recordMessage(
    world.db,
    world.signals,
    tenant.tenant,
    { id, contact_id, address, sender_id: tenant.sender },
    { ...said, sender_type: 'agent' },
  );

  await until('all four are stored', () => server.posted.length >= 4);
  await allRead();
  assert.deepEqual(texts(server).toSorted(), ['doubted', 'revived', 'skipped', 'usual']);
  await assertSound(world.db);
});

test('a conversation keeps its order, and conversations go side by side, within bounds', async (t) => {
  const { world, server, forward, allRead } = await scene(t);
  const tenant = await world.tenant();
  const addresses = Array.from({ length: 24 }, () => newPhone());
  server.answer = async (posted, response) => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    await takes(posted, response);
  };
  const first = await forward();
  await first.stop();
  for (const round of ['1', '2', '3']) {
    for (const address of addresses) await send(tenant, round, { address });
  }
  await forward();
  await until('all are stored', () => server.posted.length === 72);
  await allRead();
  const told = Map.groupBy(server.posted, ({ body }) => body.conversation_id);
  assert.equal(told.size, 24);
  for (const posted of told.values())
    assert.deepEqual(
      posted.map(({ body }) => body.content),
      ['1', '2', '3'],
    );
  assert.ok(server.most > 4 && server.most <= 16, `${server.most} at once`);
});

test('while it is down, slow or wrong nothing is lost; when it is back all of it comes, and that is said', async (t) => {
  const { world, server, forward, allRead, logged } = await scene(t);
  const tenant = await world.tenant();
  await forward({ timeout: 200 });
  for (const [answer, text] of [
    [says(503), 'down'],
    [says(200, '<html>log in</html>'), 'a page'],
    [() => {}, 'slow'],
  ] as const) {
    const before = server.posted.length;
    server.answer = answer;
    await send(tenant, text);
    await until(`${text}: it was tried`, () => server.posted.length > before);
  }
  assert.notEqual(await findOldestUnread(world.db, CONVERSATION_SERVICE), null);
  const stored: string[] = [];
  server.answer = (posted, response) => {
    stored.push(posted.body.content);
    return takes(posted, response);
  };
  await until('all are stored', () => new Set(stored).size === 3);
  await allRead();
  assert.deepEqual([...new Set(stored)].toSorted(), ['a page', 'down', 'slow']);
  await until('it is said', () => logged.length === 2);
  assert.deepEqual(
    logged.map(({ text }) => text.replace(/;.*/, '')),
    ['the conversation service does not answer', 'the conversation service answers again'],
  );
  assert.deepEqual(logged[0]?.about['tenant_id'], tenant.tenant);
});

test('nobody there at first, and then it is', async (t) => {
  const { world, forward, allRead } = await scene(t);
  const gone = await conversationServer();
  await gone.close();
  const tenant = await world.tenant();
  await forward({ url: gone.url });
  await send(tenant, 'early');
  const later = await conversationServer(Number(new URL(gone.url).port));
  t.after(() => later.close());
  await until('it is stored', () => later.posted.length === 1);
  await allRead();
  assert.deepEqual(texts(later), ['early']);
});

test('a message that is refused again and again is logged with its ids and skipped; the others are stored', async (t) => {
  const { world, server, forward, allRead, logged } = await scene(t);
  const tenant = await world.tenant();
  await forward();
  server.answer = (posted, response) => (posted.body.content === 'poison' ? says(422) : takes)(posted, response);
  const address = newPhone();
  const poison = await send(tenant, 'poison', { address });
  await send(tenant, 'after', { address });
  await send(tenant, 'elsewhere');
  await allRead();
  assert.equal(texts(server).filter((text) => text === 'poison').length, 4);
  assert.deepEqual(
    texts(server)
      .filter((text) => text !== 'poison')
      .toSorted(),
    ['after', 'elsewhere'],
  );
  assert.equal(logged.length, 1);
  const { message_id, tenant_id, status } = logged[0]?.about ?? {};
  assert.deepEqual([message_id, tenant_id, status], [poison, tenant.tenant, 422]);
});

test("one tenant's refusals do not hold up another's", async (t) => {
  const { world, server, forward } = await scene(t);
  const [one, two] = [await world.tenant(), await world.tenant()];
  await forward();
  server.answer = (posted, response) => (posted.tenant === one.tenant ? says(503) : takes)(posted, response);
  await send(one, 'waits');
  await until('it was tried', () => server.posted.length > 0);
  await send(two, 'goes');
  await until('the other is stored', () => texts(server).includes('goes'));
});

test('a tenant for which it is slow delays no other', async (t) => {
  const { world, server, forward } = await scene(t);
  const [slow, quick] = [await world.tenant(), await world.tenant()];
  await forward({ timeout: 60_000 });
  server.answer = (posted, response) => (posted.tenant === slow.tenant ? undefined : takes(posted, response));
  await send(slow, 'hangs');
  await until('it hangs', () => server.posted.length === 1);
  for (const text of ['1', '2', '3']) {
    await send(quick, text);
    await until(`${text} is stored`, () => texts(server).includes(text));
  }
  assert.deepEqual(texts(server), ['hangs', '1', '2', '3']);
});

test('of two instances one forwards at a time, and each message is stored once', async (t) => {
  const { world, server, forward, allRead } = await scene(t);
  const tenants = [await world.tenant(), await world.tenant(), await world.tenant()];
  await Promise.all([forward(), forward()]);
  for (const [i, tenant] of tenants.entries()) {
    for (const text of ['a', 'b', 'c', 'd']) await send(tenant, `${i}${text}`);
  }
  await until('all are stored', () => server.posted.length >= 12);
  await allRead();
  assert.equal(new Set(texts(server)).size, 12);
  assert.equal(server.posted.length, 12);
});

test('killed in mid pass: what was not kept is stored again, and nothing is lost', async (t) => {
  const { world, server, forward, allRead } = await scene(t);
  const lease = 1000;
  const script = fileURLToPath(new URL('forwarder-process.ts', import.meta.url));
  const child = spawn(process.execPath, [script, world.database.url, server.url, String(lease)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const tenant = await world.tenant();
  const address = newPhone();
  server.answer = (posted, response) => (posted.body.content === '3' ? undefined : takes(posted, response));
  for (const text of ['1', '2', '3', '4', '5']) await send(tenant, text, { address });
  await until('it hangs in the third', () => texts(server).includes('3'));
  child.kill('SIGKILL');
  await once(child, 'close');
  server.answer = takes;
  await forward({ lease });
  await until('the last is stored', () => texts(server).includes('5'));
  await allRead();
  const kinds = [...new Set(texts(server))];
  assert.deepEqual(kinds, ['1', '2', '3', '4', '5']);
  assert.deepEqual(texts(server).slice(-2), ['4', '5']);
});

test('the only instance does not wait for the lease of its dead self', async (t) => {
  const { world, server, forward } = await scene(t);
  const first = await forward();
  const tenant = await world.tenant();
  await first.stop();
  await forward({ lease: 1 }).then((one) => one.stop());
  await world.db.script(`update event_consumers set held_until = now() + interval '1 hour', held_by = tenant_id
    where tenant_id = '${tenant.tenant}'`);
  await send(tenant, 'waiting');
  await forward({ alone: true });
  await until('it is stored', () => server.posted.length === 1);
});

test('a stop in mid call is quick, and what was under way is stored by the next', async (t) => {
  const { world, server, forward, allRead } = await scene(t);
  const tenant = await world.tenant();
  const first = await forward({ timeout: 60_000 });
  server.answer = () => {};
  await send(tenant, 'hangs');
  await until('it was tried', () => server.posted.length === 1);
  const since = performance.now();
  await first.stop();
  assert.ok(performance.now() - since < 30_000, 'it does not wait for the call, which has a minute');
  server.answer = takes;
  await forward();
  await allRead();
  assert.deepEqual(texts(server), ['hangs', 'hangs']);
});
