import pg from 'pg';
import { quantile } from '../figures.ts';
import type { LoadClient } from '../load.ts';
import type { Measure } from '../measure.ts';

const MOST_MS = 10;
const ASKED = 500;
const ROWS_AT_ONCE = 250_000;

/** A product on a database that this benchmark may fill by itself. */
export interface Filled {
  databaseUrl: string;
  tenant: string;
  sender: string;
  load: LoadClient;
}

/**
 * Statistics and lists on a store of five million messages, one question at a time. The messages are written into the
 * tables as accepting, sending and receipts would have left them: making them by HTTP would take half an hour.
 */
export async function reads(filled: Filled, quick: boolean, log: (text: string) => void): Promise<Measure[]> {
  const messages = quick ? 250_000 : 5_000_000;
  await fillTables(filled, messages, log);
  const { sender, load } = filled;
  const [conversation, contact] = await someone(load);
  const paths = {
    'statistics of the tenant': '/api/v1/messages/statistics',
    'statistics of a sender': `/api/v1/messages/statistics?sender_id=${sender}`,
    'newest page': '/api/v1/messages?limit=50',
    'page 20, with its total': '/api/v1/messages?limit=50&page=20',
    "newest page of a sender's": `/api/v1/messages?limit=50&sender_id=${sender}`,
    "newest page of a contact's": `/api/v1/messages?limit=50&contact_id=${contact}`,
    "newest page of a conversation's": `/api/v1/messages?limit=50&conversation_id=${conversation}`,
    'failed ones, one in a thousand': '/api/v1/messages?limit=50&status=failed',
    'of one type that is rare': '/api/v1/messages?limit=50&type=document',
  };
  const measures: Measure[] = [];
  for (const [name, path] of Object.entries(paths)) measures.push(await timed(load, name, path, messages, log));
  return measures;
}

async function timed(
  load: LoadClient,
  name: string,
  path: string,
  messages: number,
  log: (text: string) => void,
): Promise<Measure> {
  const latencies: number[] = [];
  for (let i = -20; i < ASKED; i++) {
    const began = performance.now();
    const { status, body } = await load.ask(path);
    const took = performance.now() - began;
    if (status !== 200) throw new Error(`${path} was answered ${status}: ${JSON.stringify(body)}`);
    if (i >= 0) latencies.push(took);
  }
  const p95 = quantile(latencies, 0.95);
  log(`${name}: ${p95.toFixed(2)} ms (95 %)`);
  return {
    name: `${name}, ${messages} messages`,
    unit: 'ms (95 %)',
    product: p95,
    floor: null,
    ratio: null,
    gate: `under ${MOST_MS} ms`,
    pass: p95 < MOST_MS,
    runs: { product: latencies.map((value) => ({ value })), floor: [] },
    notes: [`50 %: ${quantile(latencies, 0.5).toFixed(2)} ms`],
  };
}

/** The conversation and the contact of a message that is there. */
async function someone(load: LoadClient): Promise<[conversation: string, contact: string]> {
  const { body } = await load.ask('/api/v1/messages?limit=1');
  const [message] = (body as { messages: { conversation_id: string; contact_id: string }[] }).messages;
  if (!message) throw new Error('no message is there');
  return [message.conversation_id, message.contact_id];
}

/** A time-ordered id: the time in milliseconds and random bits behind it. */
const ID_AT = `(lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7' || substr(md5(random()::text), 1, 3)
  || '8' || substr(md5(random()::text), 1, 15))::uuid`;

const FILL = `
with made as (
  select g, now() - ($3::bigint - g) * interval '100 milliseconds' as at, (g * 7919) % 100000 as customer
  from generate_series($4::bigint, $5::bigint) as g
)
insert into messages (tenant_id, id, sender_id, contact_id, conversation_id, direction, state, state_before, type, category,
  priority, attempt, wamid, address, content, created_at, sent_at, delivered_at, read_at, failed_at, error)
select $1, ${ID_AT}, $2, md5('contact' || customer)::uuid, md5('conversation' || customer)::uuid, 'outbound',
  (case when g % 1000 = 0 then 'failed' else 'read' end)::message_state, 'sent',
  case when g % 5000 = 1 then 'document' else 'text' end, 'service', 1, 1, 'wamid.' || g, '+62' || 81000000000 + customer,
  '{"text": "Hello, your order has been shipped and will be with you soon."}', at,
  case when g % 1000 > 0 then at end, case when g % 1000 > 0 then at end, case when g % 1000 > 0 then at end,
  case when g % 1000 = 0 then at end,
  case when g % 1000 = 0 then '{"error": "send_failed", "code": 131026, "title": "Message undeliverable", "detail": null}'::jsonb end
from made`;

const COUNTS = `
insert into message_counts (tenant_id, sender_id, direction, type, from_state, to_state, slot, n)
select $1, $2, 'outbound', type, from_state, to_state, 0, n
from (values ('text', '', 'queued', $3::bigint), ('text', 'queued', 'sent', $3 - $3 / 1000),
  ('text', 'queued', 'failed', $3 / 1000), ('text', 'sent', 'read', $3 - $3 / 1000)) as x(type, from_state, to_state, n)
on conflict (tenant_id, sender_id, direction, type, from_state, to_state, slot) do update set n = message_counts.n + excluded.n`;

const PEOPLE = [
  `insert into contacts (tenant_id, id)
   select $1, md5('contact' || g)::uuid from generate_series(0, 99999) g`,
  `insert into contact_identities (tenant_id, kind, value, contact_id)
   select $1, 'phone', '+62' || 81000000000 + g, md5('contact' || g)::uuid from generate_series(0, 99999) g`,
];

async function fillTables(
  { databaseUrl, tenant, sender }: Filled,
  messages: number,
  log: (text: string) => void,
): Promise<void> {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  try {
    for (const statement of PEOPLE) await client.query(statement, [tenant]);
    await client.query(
      `insert into conversations (tenant_id, id, sender_id, contact_id)
       select $1, md5('conversation' || g)::uuid, $2, md5('contact' || g)::uuid from generate_series(0, 99999) g`,
      [tenant, sender],
    );
    for (let from = 1; from <= messages; from += ROWS_AT_ONCE) {
      await client.query(FILL, [tenant, sender, messages, from, Math.min(messages, from + ROWS_AT_ONCE - 1)]);
      log(`${Math.min(messages, from + ROWS_AT_ONCE - 1)} messages written`);
    }
    await client.query(COUNTS, [tenant, sender, messages]);
    await client.query('vacuum (analyze) messages');
  } finally {
    await client.end();
  }
}
