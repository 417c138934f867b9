import { createHash, createHmac, randomUUIDv7, timingSafeEqual } from 'node:crypto';
import { parseArgs } from 'node:util';
import Fastify from 'fastify';
import pg from 'pg';
import { Agent, request } from 'undici';
import { batcher } from './batcher.ts';
import { accept, apply, begin, finish, receive, settle } from './statements.ts';

/**
 * The floor: a message's whole life with every row written and no logic around it. One tenant, no limits, no states
 * checked, no crash survived. It is what the product is measured against, so it is as fast as plain code can be:
 * one connection pool, one statement a step, group commit everywhere, a wake-up instead of polling.
 *
 * usage: server.ts --database URL --provider URL --secret S --senders ID,… --numbers ID,…
 * Prints `floor ready http://127.0.0.1:PORT`. The pool is as the product's: connections by --connections (default 8).
 */
const { values: options } = parseArgs({
  options: {
    database: { type: 'string' },
    provider: { type: 'string' },
    secret: { type: 'string' },
    senders: { type: 'string' },
    numbers: { type: 'string' },
    connections: { type: 'string', default: '8' },
  },
});
const { database, provider, secret, senders: senderList, numbers: numberList } = options;
if (!database || !provider || !secret || !senderList || !numberList) {
  throw new Error('the floor needs --database, --provider, --secret, --senders and --numbers');
}

const IN_FLIGHT = 256;
const TENANT = '00000000-0000-7000-8000-000000000001';
const senders = senderList.split(',');
const numbers = numberList.split(',');
const pathOfSender = new Map(senders.map((sender, i) => [sender, `/v26.0/${numbers[i]}/messages`]));

// Without this the planner looks anew at each array; the product asks for the same.
const pool = new pg.Pool({
  connectionString: database,
  max: Number(options.connections),
  options: '-c timezone=UTC -c plan_cache_mode=force_generic_plan',
});
const query = async <Row extends pg.QueryResultRow>(statement: { name: string; text: string }, values: unknown[]) =>
  (await pool.query<Row>({ ...statement, values })).rows;
const ids = (many: readonly unknown[]): string[] => many.map(() => randomUUIDv7());

const counted = { accepted: 0, sent: 0, read: 0, receipts: 0 };

let wake: (() => void) | null = null;
const wakeUp = (): void => {
  wake?.();
  wake = null;
};

// Accept.

interface Accepted {
  id: string;
  sender: string;
  address: string;
  content: string;
  dueAt: string;
  key: string;
  hash: Buffer;
}

const accepts = batcher<Accepted>(500, 2, async (all, slot) => {
  await query(accept, [
    TENANT,
    slot,
    all.map((one) => one.id),
    all.map((one) => one.sender),
    ids(all),
    ids(all),
    all.map((one) => one.address),
    all.map((one) => one.content),
    all.map((one) => one.dueAt),
    all.map((one) => one.key),
    all.map((one) => one.hash),
    ids(all),
  ]);
  counted.accepted += all.length;
  wakeUp();
});

// Send.

interface Taken {
  id: string;
  sender: string;
  address: string;
  text: string;
}

const agent = new Agent({ connections: 64, pipelining: 1 });
let inFlight = 0;

const settles = batcher<{ id: string; wamid: string }>(500, 2, async (all, slot) => {
  await query(settle, [TENANT, slot, all.map((one) => one.id), all.map((one) => one.wamid), ids(all)]);
  counted.sent += all.length;
  inFlight -= all.length;
  wakeUp();
});

async function send({ id, sender, address, text }: Taken): Promise<void> {
  const { body } = await request(`${provider}${pathOfSender.get(sender)}`, {
    dispatcher: agent,
    method: 'POST',
    headers: { authorization: 'Bearer floor', 'content-type': 'application/json' },
    body: JSON.stringify({
      messaging_product: 'whatsapp',
      recipient_type: 'individual',
      to: address,
      type: 'text',
      text: { body: text },
      biz_opaque_callback_data: id,
    }),
  });
  const answer = (await body.json()) as { messages: [{ id: string }] };
  await settles.add({ id, wamid: answer.messages[0].id });
}

async function dispatch(): Promise<never> {
  for (;;) {
    const room = IN_FLIGHT - inFlight;
    const taken = room < 32 ? [] : await query<Taken>(begin, [TENANT, Math.min(room, 200)]);
    inFlight += taken.length;
    for (const one of taken) send(one).catch(fail);
    if (taken.length > 0) continue;
    await new Promise<void>((resolve) => {
      wake = resolve;
      setTimeout(resolve, 20);
    });
  }
}

// Receive.

interface Receipt {
  id: string;
  status: string;
}
interface Group {
  work: string;
  receipts: Receipt[];
}
interface Webhook {
  value: { statuses?: { status: string; biz_opaque_callback_data: string }[] };
}

const applies = batcher<Group>(20, 1, async (groups, slot) => {
  const work = groups.map((group) => group.work);
  const news = new Map<string, { delivered: boolean; read: boolean }>();
  for (const { receipts } of groups) {
    for (const { id, status } of receipts) {
      // The send's own answer has said "sent": the receipt changes nothing.
      if (status === 'sent') continue;
      const known = news.get(id) ?? { delivered: false, read: false };
      if (status === 'delivered') known.delivered = true;
      if (status === 'read') known.read = true;
      news.set(id, known);
    }
  }
  if (news.size === 0) await query(finish, [work]);
  else {
    const all = [...news.values()];
    const delivered = all.map((one) => one.delivered);
    const read = all.map((one) => one.read);
    await query(apply, [TENANT, slot, [...news.keys()], delivered, read, ids(all), work]);
  }
  for (const { receipts } of groups) {
    counted.receipts += receipts.length;
    for (const { status } of receipts) if (status === 'read') counted.read++;
  }
});

const receives = batcher<Buffer>(200, 2, async (bodies) => {
  const work = randomUUIDv7();
  await query(receive, [work, ids(bodies), bodies]);
  const receipts: Receipt[] = [];
  for (const body of bodies) {
    const { entry } = JSON.parse(body.toString()) as { entry: { changes: Webhook[] }[] };
    for (const { changes } of entry)
      for (const { value } of changes)
        for (const one of value.statuses ?? []) receipts.push({ id: one.biz_opaque_callback_data, status: one.status });
  }
  applies.add({ work, receipts }).catch(fail);
});

// The door.

const app = Fastify({ logger: false, bodyLimit: 4 << 20 });

app.post<{ Body: { recipient_phone: string; sender_id: string; content: { text: string }; scheduled_at?: string } }>(
  '/api/v1/messages',
  {
    schema: {
      body: {
        type: 'object',
        required: ['recipient_phone', 'sender_id', 'content'],
        additionalProperties: false,
        properties: {
          recipient_phone: { type: 'string', pattern: '^\\+[1-9]\\d{6,14}$' },
          sender_id: { type: 'string', maxLength: 128 },
          content: { type: 'object', required: ['text'], properties: { text: { type: 'string', maxLength: 4096 } } },
          scheduled_at: { type: 'string' },
        },
      },
      response: { 202: { type: 'object', properties: { id: { type: 'string' }, status: { type: 'string' } } } },
    },
  },
  async (req, reply) => {
    const id = randomUUIDv7();
    const content = JSON.stringify(req.body.content);
    await accepts.add({
      id,
      sender: req.body.sender_id,
      address: req.body.recipient_phone,
      content,
      dueAt: req.body.scheduled_at ?? new Date().toISOString(),
      key: String(req.headers['idempotency-key']),
      hash: createHash('sha256').update(content).digest(),
    });
    reply.code(202);
    return { id, status: 'queued' };
  },
);

app.register(async (webhooks) => {
  webhooks.removeContentTypeParser('application/json');
  webhooks.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_, body, done) => done(null, body));
  webhooks.post<{ Body: Buffer }>('/webhooks/whatsapp', async (req, reply) => {
    const given = Buffer.from(String(req.headers['x-hub-signature-256']).slice('sha256='.length), 'hex');
    const wanted = createHmac('sha256', secret).update(req.body).digest();
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return reply.code(401).send();
    await receives.add(req.body);
    return reply.code(200).send('');
  });
  // The provider asks before it posts.
  webhooks.get<{ Querystring: Record<string, string> }>(
    '/webhooks/whatsapp',
    async (req) => req.query['hub.challenge'],
  );
});

app.get('/counts', async () => counted);

function fail(error: unknown): never {
  console.error(error);
  process.exit(1);
}

process.on('SIGTERM', () => process.exit(0));
await pool.query('select 1');
const url = await app.listen({ host: '127.0.0.1', port: 0 });
dispatch().catch(fail);
console.log(`floor ready ${url}`);
