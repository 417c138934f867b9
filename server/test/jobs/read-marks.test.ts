import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { type CustomerReads, createCustomerReads } from '../../src/actions/mark-read.ts';
import { settleReadMarks, takeDueReadMarks } from '../../src/actions/read-marks.ts';
import { receiveMessages } from '../../src/actions/receive-messages.ts';
import { whatsappReadMarker } from '../../src/channels/whatsapp/read-marker.ts';
import type { MessageId } from '../../src/domain/ids.ts';
import { createReadMarks } from '../../src/jobs/read-marks.ts';
import { providerClient } from '../../src/net/provider-client.ts';
import type { Part } from '../../src/runtime/lifecycle.ts';
import { type EngineWorld, engineWorld, newPhone, type TenantWorld } from '../engine-world.ts';
import { until } from '../until.ts';

let world: EngineWorld;
let reads: CustomerReads;
let tenant: TenantWorld;
let provider: Server;
let job: Part;
/** What the provider was told. */
let told: { path: string | undefined; authorization: string | undefined; body: unknown }[];
/** The sentences of the log. */
let warned: string[];
/** What the provider answers next; when there is nothing, that all is well. */
let answers: ({ status: number; body: string } | 'cut')[];

before(async () => {
  world = await engineWorld();
  reads = createCustomerReads(world);
  provider = createServer((request, response) => {
    void text(request).then((body) => {
      const { url, headers } = request;
      told.push({ path: url, authorization: headers.authorization, body: JSON.parse(body) as unknown });
      const answer = answers.shift() ?? { status: 200, body: '{"success": true}' };
      if (answer === 'cut') request.socket.destroy();
      else response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
    });
  }).listen(0, '127.0.0.1');
  await once(provider, 'listening');
});
after(async () => {
  provider.close();
  await world.close();
});
beforeEach(async () => {
  told = [];
  answers = [];
  warned = [];
  tenant = await world.tenant();
  const log = (_about: unknown, text?: string) => void warned.push(text ?? '');
  const { port } = provider.address() as AddressInfo;
  const client = providerClient({ origin: `http://127.0.0.1:${port}`, connections: 4, timeout: 2000 });
  job = createReadMarks({
    db: world.db,
    signals: world.signals,
    logger: { warn: log, debug: () => {} },
    marker: whatsappReadMarker({ client, version: 'v26.0' }),
    retry: { base: 1, cap: 5 },
    openToken: ({ access_token_sealed }) => `opened ${access_token_sealed.toString()}`,
    pollInterval: 20,
  });
});
afterEach(() => job.stop());

let wamids = 0;

/** A customer's message comes in and is read. Gives the provider's id of it. */
async function readOne(): Promise<string> {
  const { wamid, id } = await received();
  assert.equal(await reads.markRead(tenant.tenant, id), 'read');
  return wamid;
}

async function received(): Promise<{ wamid: string; id: MessageId }> {
  const wamid = `wamid.mark.${++wamids}`;
  const said = { tenant: tenant.tenant, sender: tenant.sender, wamid, type: 'text', at: Date.now(), phone: newPhone() };
  const rest = { userId: null, name: null, content: { text: 'hi' }, replyTo: null };
  await receiveMessages(world.db, world.signals, [{ ...said, ...rest }], 0);
  const find = {
    name: 'test_by_wamid',
    text: 'select message_id as id from wamids where tenant_id = $1 and wamid = $2',
  };
  const [row] = await world.db.query<{ id: MessageId }>(find, [tenant.tenant, wamid]);
  return { wamid, id: row?.id as MessageId };
}

async function marks(): Promise<number> {
  const count = { name: 'test_marks', text: 'select count(*)::int as n from read_marks' };
  return (await world.db.query<{ n: number }>(count))[0]?.n ?? -1;
}

const none = () => until('no mark is left', async () => (await marks()) === 0);
const error = (status: number, code: number) => ({ status, body: JSON.stringify({ error: { message: 'no', code } }) });

test('what is read is told at once, as Meta documents it [sent read mark]', async () => {
  await job.start();
  const wamid = await readOne();
  await none();
  const body = { messaging_product: 'whatsapp', status: 'read', message_id: wamid };
  const path = `/v26.0/${tenant.phoneNumberId}/messages`;
  assert.deepEqual(told, [{ path, authorization: 'Bearer opened sealed', body }]);
});

test('what was read while nobody told is told later, all of it', async () => {
  const read: string[] = [];
  for (let i = 0; i < 20; i++) read.push(await readOne());
  assert.equal(await marks(), 20);
  await job.start();
  await none();
  assert.deepEqual(told.map(({ body }) => (body as { message_id: string }).message_id).sort(), read.sort());
});

test('what may pass is tried again; what will not is given up', async () => {
  await job.start();
  answers = [error(500, 131016), 'cut', { status: 502, body: '<html>' }, { status: 200, body: '{"success": false}' }];
  await readOne();
  await none();
  assert.equal(told.length, 5);
  answers = [error(400, 131009)];
  await readOne();
  await none();
  assert.equal(told.length, 6);
});

test('after a dozen tries it is given up, and the message stays read', async () => {
  await job.start();
  answers = Array.from({ length: 100 }, () => error(500, 131016));
  await readOne();
  await none();
  assert.equal(told.length, 12);
  assert.deepEqual(warned, ['WhatsApp could not be told that a message was read']);
  const read = {
    name: 'test_read',
    text: `select count(*)::int as n from messages where tenant_id = $1 and state = 'read'`,
  };
  assert.deepEqual(await world.db.query<object>(read, [tenant.tenant]), [{ n: 1 }]);
});

/** What the provider was told of the customer's message: whether it was typing as well. */
function saidOf(wamid: string): boolean[] {
  return told.flatMap(({ body }) => {
    const { message_id, typing_indicator } = body as { message_id: string; typing_indicator?: object };
    return message_id === wamid ? [typing_indicator !== undefined] : [];
  });
}

test('that an answer is being written is told with the mark, as Meta documents it, and again when asked again [sent typing indicator]', async () => {
  await job.start();
  const { wamid, id } = await received();
  assert.equal(await reads.showTyping(tenant.tenant, id), 'read');
  await none();
  const body = { messaging_product: 'whatsapp', status: 'read', message_id: wamid, typing_indicator: { type: 'text' } };
  assert.deepEqual(
    told.map((one) => one.body),
    [body],
  );
  assert.equal(await reads.showTyping(tenant.tenant, id), 'read');
  await none();
  assert.deepEqual(saidOf(wamid), [true, true]);
});

test('what is asked for while a mark is being told is told after it', async () => {
  const { wamid, id } = await received();
  await reads.markRead(tenant.tenant, id);
  // Taken by an instance that has not told it yet.
  const [mark] = await takeDueReadMarks(world.db, 1, 60_000);
  assert.ok(mark);
  await reads.showTyping(tenant.tenant, id);
  await settleReadMarks(world.db, [{ ...mark, delay: null }]);
  await job.start();
  await none();
  assert.deepEqual(saidOf(wamid), [true]);
});

test('typing that could not be told in time is not told; the mark is', async () => {
  const { wamid, id } = await received();
  await reads.showTyping(tenant.tenant, id);
  await world.db.script(`update read_marks set typing_at = typing_at - interval '10 seconds'`);
  await job.start();
  await none();
  assert.deepEqual(saidOf(wamid), [false]);
});
