import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { setBlocked } from '../../src/actions/blocked-users.ts';
import { giveConsentsByAddress } from '../../src/actions/consent-lists.ts';
import { whatsappBlocker } from '../../src/channels/whatsapp/block-api.ts';
import type { ContactId } from '../../src/domain/ids.ts';
import { createBlockedUsers } from '../../src/jobs/blocked-users.ts';
import { providerClient } from '../../src/net/provider-client.ts';
import type { Part } from '../../src/runtime/lifecycle.ts';
import { type BlockedUserRow, findBlockedUser, listBlockedUsers } from '../../src/store/blocked-users.read.ts';
import { type EngineWorld, engineWorld, newPhone, type TenantWorld } from '../engine-world.ts';
import { until } from '../until.ts';

interface Told {
  method: string | undefined;
  path: string | undefined;
  authorization: string | undefined;
  body: { messaging_product: string; block_users: { user?: string; user_id?: string }[] };
}

let world: EngineWorld;
let own: TenantWorld;
let provider: Server;
let job: Part;
let told: Told[];
/** What the provider answers next; when there is nothing, that it did all. */
let answers: ({ status: number; body: object | string } | 'cut')[];
let warned: string[];

before(async () => {
  world = await engineWorld();
  provider = createServer((request, response) => {
    void text(request).then((said) => {
      const { url, headers, method } = request;
      const body = JSON.parse(said) as Told['body'];
      told.push({ method, path: url, authorization: headers.authorization, body });
      const users = body.block_users.map(({ user, user_id }) => (user === undefined ? { user_id } : { input: user }));
      const done = method === 'POST' ? { added_users: users } : { removed_users: users };
      const answer = answers.shift() ?? { status: 200, body: { messaging_product: 'whatsapp', block_users: done } };
      if (answer === 'cut') request.socket.destroy();
      else {
        const sent = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
        response.writeHead(answer.status, { 'content-type': 'application/json' }).end(sent);
      }
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
  own = await world.tenant();
  const { port } = provider.address() as AddressInfo;
  const client = providerClient({ origin: `http://127.0.0.1:${port}`, connections: 1, timeout: 2000 });
  job = createBlockedUsers({
    ...world,
    logger: { warn: (_about: unknown, said?: string) => void warned.push(said ?? '') },
    blocker: whatsappBlocker({ client, version: 'v26.0' }),
    retry: { base: 1, cap: 5 },
    openToken: ({ access_token_sealed }) => `opened ${access_token_sealed.toString()}`,
    pollInterval: 20,
  });
});
afterEach(() => job.stop());

async function contactOf(kind: 'phone' | 'bsuid', value: string): Promise<ContactId> {
  const word = { scope: 'marketing', state: 'in', source: 'api', detail: null, message: null, at: Date.now() } as const;
  const person = { addresses: [{ kind, value }], name: null };
  const { contacts } = await giveConsentsByAddress(world, own.tenant, [{ ...word, person }]);
  return contacts[0] as ContactId;
}

const block = (contact: ContactId, blocked = true) => setBlocked(world, own.tenant, own.sender, contact, blocked);

async function settled(contact: ContactId): Promise<BlockedUserRow> {
  let row: BlockedUserRow | null = null;
  await until('it is settled', async () => {
    row = await findBlockedUser(world.db, own.tenant, own.sender, contact);
    return row !== null && row.confirmed !== null;
  });
  assert.ok(row);
  return row;
}

test('a customer is blocked and let write again, as Meta documents it', async () => {
  await job.start();
  const phone = newPhone();
  const contact = await contactOf('phone', phone);
  const asked = await block(contact);
  assert.deepEqual([asked.blocked, asked.phone], [true, phone]);
  const done = await settled(contact);
  assert.deepEqual([done.blocked, done.confirmed, done.detail], [true, true, null]);
  const body = { messaging_product: 'whatsapp', block_users: [{ user: phone }] };
  const path = `/v26.0/${own.phoneNumberId}/block_users`;
  assert.deepEqual(told, [{ method: 'POST', path, authorization: 'Bearer opened sealed', body }]);
  assert.equal((await listBlockedUsers(world.db, own.tenant, own.sender, null, 10)).length, 1);
  // What is so already is not told again.
  await block(contact);
  await block(contact, false);
  await settled(contact);
  assert.deepEqual(
    told.map(({ method }) => method),
    ['POST', 'DELETE'],
  );
  assert.equal((await listBlockedUsers(world.db, own.tenant, own.sender, null, 10)).length, 0);
});

test('many of one sender are one call, each with an outcome of its own', async () => {
  const phones = [newPhone(), newPhone(), newPhone()];
  const contacts = await Promise.all(phones.map((phone) => contactOf('phone', phone)));
  const known = await contactOf('bsuid', 'ID.Blocked1');
  for (const contact of [...contacts, known]) await block(contact);
  const error = { message: 'Re-engagement required', code: 131047, error_data: { details: 'not in 24 hours' } };
  const busy = { message: 'Blocklist concurrent update', code: '139102' };
  answers.push({
    status: 400,
    body: {
      messaging_product: 'whatsapp',
      block_users: {
        added_users: [{ input: phones[0], wa_id: '1' }, { user_id: 'ID.Blocked1' }],
        failed_users: [
          { input: phones[1], errors: [error] },
          { input: phones[2], errors: [busy] },
        ],
      },
      error: { message: '(#139100) Failed to block/unblock users', code: 139100 },
    },
  });
  await job.start();
  const rows = await Promise.all([...contacts, known].map(settled));
  assert.deepEqual(
    rows.map(({ confirmed }) => confirmed),
    [true, false, true, true],
  );
  assert.equal(rows[1]?.detail, '131047: Re-engagement required: not in 24 hours');
  assert.equal(told[0]?.body.block_users.length, 4);
  assert.ok(told[0]?.body.block_users.some(({ user_id }) => user_id === 'ID.Blocked1'));
  assert.deepEqual(told[1]?.body.block_users, [{ user: phones[2] }]);
  assert.equal(warned.length, 1);
  // Whoever asks again, is told of again.
  await block(contacts[1] as ContactId);
  assert.equal((await settled(contacts[1] as ContactId)).confirmed, true);
});

test('what may pass is tried again, with an end; what will not is given up', async () => {
  await job.start();
  const answer = (status: number, code: number) => ({ status, body: { error: { message: 'no', code } } });
  answers = ['cut', answer(500, 131016), { status: 502, body: '<html>' }, { status: 200, body: '{}' }];
  const contact = await contactOf('phone', newPhone());
  await block(contact);
  assert.equal((await settled(contact)).confirmed, true);
  assert.equal(told.length, 5);
  answers = [answer(400, 139101)];
  const full = await contactOf('phone', newPhone());
  await block(full);
  const row = await settled(full);
  assert.deepEqual([row.confirmed, row.detail], [false, '139101: no']);
  answers = Array.from({ length: 20 }, () => 'cut' as const);
  const never = await contactOf('phone', newPhone());
  await block(never);
  assert.equal((await settled(never)).confirmed, false);
  assert.equal(told.length, 5 + 1 + 12);
});

test('who changes his mind while it is told is told of last', async () => {
  const contact = await contactOf('phone', newPhone());
  await block(contact);
  await block(contact, false);
  await job.start();
  const row = await settled(contact);
  assert.deepEqual([row.blocked, told.map(({ method }) => method)], [false, ['DELETE']]);
});

test('a sender that is gone from WhatsApp, and one without a name, are refused without a call', async () => {
  const contact = await contactOf('phone', newPhone());
  await world.db.query({ name: 'test_nameless', text: 'delete from contact_identities where contact_id = $1' }, [
    contact,
  ]);
  await block(contact);
  await job.start();
  const row = await settled(contact);
  assert.match(row.detail ?? '', /neither a phone number/);
  assert.equal(told.length, 0);
});
