import { setTimeout as sleep } from 'node:timers/promises';
import { ask, askOperator, askPlainly, type World } from './world.ts';

/** Makes true what an example supposes. Gives what `{{name}}` means then. */
type Preparation = (world: World) => Promise<Record<string, string>>;

/** How to undo it, when what follows must not see it. */
type Undo = (world: World) => void;

/** How long an asynchronous change may take, on a busy machine. */
const PATIENCE = 20_000;
const READ_IS_LOST = '+19997200001';
const ALL_WEBHOOKS_ARE_LOST = '+19997000001';
const FAILS_LATER = '+19991131026';

/** By the words that examples name them by. Those that `ONCE` has are prepared once in a world. */
const PREPARATIONS: Readonly<Record<string, Preparation>> = {
  'tenant of the documents': async (world) => {
    await askOperator(
      world,
      {
        method: 'PATCH',
        path: `/api/v1/tenants/${world.program.credentials.tenant_id}`,
        body: { external_id: '123e4567-e89b-12d3-a456-426614174000' },
      },
      200,
    );
    return {};
  },
  'quota used up': async (world) => {
    for (const { answers } of world.neighbours.values()) {
      for (const [path, answer] of answers) {
        answers.set(path, answer.replace('"can_send_message": true', '"can_send_message": false'));
      }
    }
    return {};
  },
  'a delivered message': async (world) => {
    const message = await send(world, { to: READ_IS_LOST, content: { text: 'Hello' } });
    await untilStatus(world, message.id, 'delivered');
    return { message: message.id, contact: message.contact_id, conversation: message.conversation_id };
  },
  'a failed message': async (world) => {
    const message = await send(world, { to: FAILS_LATER, content: { text: 'Hello' } });
    await untilStatus(world, message.id, 'failed');
    return { message: message.id };
  },
  'an inbound message': async (world) => {
    const before = await inbound(world);
    const { simulator_url, phone_number_id } = world.program.credentials;
    const body = { from: '+16505551234', name: 'Ana', text: 'Thank you', phone_number_id };
    await ask(simulator_url, { method: 'POST', path: '/_simulator/inbound', body });
    const [message = ''] = await until('a message of a customer', async () => {
      const fresh = (await inbound(world)).filter((id) => !before.includes(id));
      return fresh.length > 0 ? fresh : null;
    });
    return { message };
  },
  'messages of every type': async (world) => {
    for (const file of ['image.jpg', 'video.mp4', 'audio.mp3', 'document.pdf']) {
      const { id } = await send(world, { to: '+1234567890', content: { media_url: `https://example.com/${file}` } });
      if (file === 'image.jpg') await untilStatus(world, id, 'read');
    }
    const unheard = await send(world, { to: ALL_WEBHOOKS_ARE_LOST, content: { text: 'Hello' } });
    await untilStatus(world, unheard.id, 'sent');
    await PREPARATIONS['a delivered message']?.(world);
    await PREPARATIONS['a failed message']?.(world);
    await PREPARATIONS['an inbound message']?.(world);
    return {};
  },
  'a sender that is not connected': async (world) => {
    const sender = await makeSender(world, '200000000000001', {});
    await change(world, sender, { enabled: false });
    return { sender };
  },
  'a sender whose day is used up': async (world) => {
    const sender = await makeSender(world, '200000000000002', { per_day: 1 });
    await send(world, { to: '+1234567890', content: { text: 'Hello' }, sender_id: sender });
    return { sender };
  },
  'a message between users': async (world) => {
    // The users are called as the documents call them.
    const asAuthor = { 'X-User-ID': '<user-uuid>' };
    const conversation = (await askPlainly(
      world,
      {
        method: 'POST',
        path: '/api/v1/conversations',
        headers: asAuthor,
        body: { type: 'group', participants: [{ user_id: 'uuid' }, { user_id: '<your-user-uuid>' }] },
      },
      201,
    )) as { id: string };
    const message = (await askPlainly(
      world,
      {
        method: 'POST',
        path: '/api/v1/messages',
        headers: asAuthor,
        body: { conversation_id: conversation.id, content: 'Hello' },
      },
      202,
    )) as { id: string };
    const later = (await askPlainly(
      world,
      {
        method: 'POST',
        path: '/api/v1/messages',
        headers: asAuthor,
        body: { conversation_id: conversation.id, content: 'Hello again' },
      },
      202,
    )) as { id: string };
    return { conversation: conversation.id, message: message.id, later: later.id };
  },
  '12 messages sent to the webhook': async (world) => {
    for (let i = 0; i < 12; i++) {
      await send(world, { to: '+1234567890', content: { text: 'Hello, this is a test message' } });
    }
    await until('12 messages at the webhook', async () => {
      const { status, body } = await askForSent(world);
      return status === 200 && (body as unknown[]).length === 12 ? true : null;
    });
    return {};
  },
};

const ONCE: ReadonlySet<string> = new Set([
  'tenant of the documents',
  'a delivered message',
  'messages of every type',
  '12 messages sent to the webhook',
]);

const UNDO: Readonly<Record<string, Undo>> = {
  'quota used up': (world) => {
    for (const { answers } of world.neighbours.values()) {
      for (const [path, answer] of answers) {
        answers.set(path, answer.replace('"can_send_message": false', '"can_send_message": true'));
      }
    }
  },
};

const prepared = new WeakMap<World, Map<string, Promise<Record<string, string>>>>();

/** Prepares what an example names, and gives what its `{{name}}`s mean. @throws {Error} for a preparation nobody knows */
export async function prepare(world: World, before: readonly string[]): Promise<Record<string, string>> {
  const known = prepared.get(world) ?? new Map<string, Promise<Record<string, string>>>();
  prepared.set(world, known);
  let values = world.values;
  for (const name of before) {
    const preparation = PREPARATIONS[name];
    if (!preparation) throw new Error(`nobody knows how to prepare: ${name}`);
    const made = (ONCE.has(name) ? known.get(name) : undefined) ?? preparation(world);
    known.set(name, made);
    values = { ...values, ...(await made) };
  }
  return values;
}

/** Undoes what the following examples must not see. */
export function tidy(world: World, before: readonly string[]): void {
  for (const name of before) UNDO[name]?.(world);
}

/** Asks until there is an answer. @throws {Error} when patience is over */
export async function until<T>(what: string, look: () => Promise<T | null>): Promise<T> {
  const end = performance.now() + PATIENCE;
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    if (performance.now() > end) throw new Error(`${what} did not come within ${PATIENCE} ms`);
    await sleep(50);
  }
}

interface Sent {
  id: string;
  contact_id: string;
  conversation_id: string;
}

async function send(world: World, body: object): Promise<Sent> {
  return (await askPlainly(world, { method: 'POST', path: '/api/v1/messages', body }, 202)) as Sent;
}

async function untilStatus(world: World, id: string, status: string): Promise<void> {
  await until(`the status ${status}`, async () => {
    const path = `/api/v1/messages/${id}/status`;
    const now = (await askPlainly(world, { method: 'GET', path }, 200)) as { status: string };
    return now.status === status ? true : null;
  });
}

async function inbound(world: World): Promise<string[]> {
  const path = '/api/v1/messages?direction=inbound';
  const { messages } = (await askPlainly(world, { method: 'GET', path }, 200)) as { messages: { id: string }[] };
  return messages.map(({ id }) => id);
}

function askForSent(world: World) {
  const { url, api_key } = world.program.credentials;
  const headers = { authorization: `Bearer ${api_key}` };
  return ask(url, { method: 'GET', path: '/processor/sent-messages?limit=50', headers });
}

/** A sender by a number that the simulator has from now on. */
async function makeSender(world: World, number: string, limits: object): Promise<string> {
  const { simulator_url, tenant_id } = world.program.credentials;
  const body = { phone_number_id: number, waba_id: `${number.slice(0, -1)}9` };
  await ask(simulator_url, { method: 'POST', path: '/_simulator/numbers', body });
  const sender = {
    tenant_id,
    name: `number ${number}`,
    phone: `+1650555${number.slice(-4)}`,
    phone_number_id: number,
    account_id: body.waba_id,
    access_token: 'any',
    ...limits,
  };
  const made = await askOperator(world, { method: 'POST', path: '/api/v1/senders', body: sender }, 201);
  return (made as { id: string }).id;
}

async function change(world: World, sender: string, body: object): Promise<void> {
  const path = `/api/v1/senders/${sender}?tenant_id=${world.program.credentials.tenant_id}`;
  await askOperator(world, { method: 'PATCH', path, body }, 200);
}
