import pg from 'pg';
import { request } from 'undici';
import { type Child, start } from '../child.ts';
import { median, quantile } from '../figures.ts';
import type { LoadClient } from '../load.ts';
import { type Measure, type Run, withCpu } from '../measure.ts';
import { newCustomer, newKey } from '../requests.ts';
import type { Processes } from '../side.ts';
import { until } from '../wait.ts';

const EVENTS = 60_000;
const GATE = 5000;
/** As many as the product has to one address. */
const CONNECTIONS = 100;
/** Nothing is measured while the first ones go: connections are opened. */
const WARM_UP = 5000;
/** Events that are measured alone. */
const ALONE = 50;
const DEADLINE_MS = 600_000;

/** A product whose events are posted, on a database that this benchmark writes into. */
export interface Posting {
  databaseUrl: string;
  tenant: string;
  sender: string;
  load: LoadClient;
  processes: () => Processes;
}

interface Counted {
  posts: number;
  distinct: number;
  /** When the first came, in milliseconds since 1970. */
  at: number;
  /** From the first to the last. */
  ms: number;
  body: string;
}

/**
 * Events that are in the log already, posted to one endpoint on this machine, which is a process of its own and counts. Beside it the
 * floor: undici alone that posts the same bodies, signed, to the same endpoint.
 */
export async function deliveries(posting: Posting, quick: boolean, runs: number, log: (text: string) => void) {
  const n = quick ? EVENTS / 10 : EVENTS;
  await using sink = await start('bench/floors/deliveries/sink.ts', [], { ready: /^sink ready (http:\/\/\S+)$/m });
  await addEndpoint(posting.load, `${sink.url}/hook`);
  const client = new pg.Client(posting.databaseUrl);
  await client.connect();
  const found: { product: Run[]; floor: Run[] } = { product: [], floor: [] };
  let alone: Measure;
  try {
    await client.query(MESSAGES, [posting.tenant, posting.sender, 1000]);
    await writeEvents(client, posting.tenant, sink.url, WARM_UP);
    const { body } = await allPosted(sink.url, WARM_UP);
    alone = await deliverAlone(posting, sink.url);
    log(`deliveries: one event alone after ${alone.product.toFixed(1)} ms`);
    for (let run = 1; run <= runs; run++) {
      found.floor.push(await postBare(sink, n, body));
      const side = { processes: () => ({ ...posting.processes(), provider: [sink.pid] }) };
      await writeEvents(client, posting.tenant, sink.url, n);
      const one = await withCpu(side, n, async () => (n * 1000) / (await allPosted(sink.url, n)).ms);
      found.product.push(one);
      log(`deliveries: ${Math.round(one.value)}/s, undici alone ${Math.round(found.floor.at(-1)?.value ?? 0)}/s`);
    }
  } finally {
    await client.end();
  }
  return [measureOf(found), alone];
}

function measureOf(runs: { product: Run[]; floor: Run[] }): Measure {
  const product = median(runs.product.map(({ value }) => value));
  return {
    name: 'deliveries to one endpoint',
    unit: 'deliveries/s',
    product,
    floor: median(runs.floor.map(({ value }) => value)),
    ratio: median(runs.product.map(({ value }, i) => value / (runs.floor[i]?.value ?? Number.NaN))),
    gate: `at least ${GATE}/s`,
    pass: product >= GATE,
    runs,
    notes: ['the provider of its CPU figures is the endpoint, the load the benchmark itself'],
  };
}

/** One event at a time on an idle system: from the answer to the request that it tells of until it is at the endpoint. */
async function deliverAlone({ sender, load }: Posting, url: string): Promise<Measure> {
  const took: number[] = [];
  for (let i = 0; i < ALONE; i++) {
    await (await request(`${url}/count`, { method: 'DELETE' })).body.dump();
    const status = await load.post('/api/v1/messages', JSON.stringify(messageTo(sender, i)), newKey());
    const answered = performance.timeOrigin + performance.now();
    if (status !== 202) throw new Error(`a message was answered ${status}`);
    took.push((await allPosted(url, 1)).at - answered);
  }
  return {
    name: 'one event alone, from the answer to the endpoint',
    unit: 'ms (50 %)',
    product: median(took),
    floor: null,
    ratio: null,
    gate: null,
    pass: true,
    runs: { product: took.map((value) => ({ value })), floor: [] },
    notes: [`95 %: ${quantile(took, 0.95).toFixed(1)} ms`],
  };
}

function messageTo(sender: string, index: number): Record<string, unknown> {
  const scheduled_at = new Date(Date.now() + 7 * 24 * 3600_000).toISOString();
  return {
    recipient_phone: newCustomer(),
    sender_id: sender,
    content: { text: `Hello number ${index}` },
    scheduled_at,
  };
}

async function addEndpoint(load: LoadClient, url: string): Promise<void> {
  const { status, body } = await load.ask('/api/v1/webhooks', { method: 'POST', body: JSON.stringify({ url }) });
  if (status !== 201) throw new Error(`the webhook was answered ${status}: ${JSON.stringify(body)}`);
}

/** Writes events, of which the endpoint has none yet. */
async function writeEvents(client: pg.Client, tenant: string, url: string, n: number): Promise<void> {
  await (await request(`${url}/count`, { method: 'DELETE' })).body.dump();
  const { rowCount } = await client.query(LOGGED, [tenant, n]);
  if (rowCount !== n) throw new Error(`${rowCount} events were written instead of ${n}`);
}

/** Waits until each event came. @throws {Error} when one did not, or when others did */
async function allPosted(url: string, n: number): Promise<Counted> {
  const whole = async (): Promise<Counted | null> => {
    const counted = (await (await request(`${url}/count`)).body.json()) as Counted;
    return counted.distinct >= n ? counted : null;
  };
  const counted = await until('every event to be posted', whole, { deadlineMs: DEADLINE_MS, everyMs: 200 });
  if (counted.distinct !== n) throw new Error(`${counted.distinct} different events came instead of ${n}`);
  return counted;
}

async function postBare(sink: Child & { url: string }, n: number, body: string): Promise<Run> {
  await (await request(`${sink.url}/count`, { method: 'DELETE' })).body.dump();
  const args = [sink.url, String(n), String(CONNECTIONS), body];
  await using child = await start('bench/floors/deliveries/poster.ts', args, {
    ready: /^posted (\S+)$/m,
    deadlineMs: DEADLINE_MS,
  });
  const counted = (await (await request(`${sink.url}/count`)).body.json()) as Counted;
  if (counted.distinct !== n) throw new Error(`${counted.distinct} posts of the floor came instead of ${n}`);
  const cpu = { server: Number(child.url) / n, postgres: 0, provider: 0, load: 0 };
  return { value: (n * 1000) / counted.ms, cpu };
}

/** Messages to customers, as accepting and sending would have left them. */
const MESSAGES = `
with made as materialized (
  select g, gen_random_uuid() as id, md5('contact' || g)::uuid as contact, md5('conversation' || g)::uuid as conversation
  from generate_series(1, $3::int) g
), c as (
  insert into contacts (tenant_id, id) select $1, contact from made
), v as (
  insert into conversations (tenant_id, id, sender_id, contact_id) select $1, conversation, $2, contact from made
)
insert into messages (tenant_id, id, sender_id, contact_id, conversation_id, direction, state, state_before, type, category,
  priority, attempt, wamid, address, content, created_at, sent_at, delivered_at)
select $1, id, $2, contact, conversation, 'outbound', 'delivered', 'sent', 'text', 'service', 1, 1,
  'wamid.HBgN' || upper(md5(g::text)), '+62' || 81000000000 + g,
  jsonb_build_object('text', 'Hello number ' || g || ', your order has been shipped and will be with you soon.'), now(), now(), now()
from made`;

/** Events of those messages, all committed at once; their ids are of now, in order. */
const LOGGED = `
with m as materialized (select id, wamid, row_number() over () as n, count(*) over () as all from messages
  where tenant_id = $1 and state = 'delivered' and wamid like 'wamid.HBgN%')
insert into events (tenant_id, id, type, message_id, data)
select $1, (lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0') || '7' || substr(md5(random()::text), 1, 3)
  || '8' || substr(md5(random()::text), 1, 15))::uuid, 'message.delivered', m.id,
  jsonb_build_object('state', 'delivered', 'wamid', m.wamid, 'attempt', 1, 'was', 'sent', 'sent_at', to_json(now())#>>'{}',
    'delivered_at', to_json(now())#>>'{}')
from generate_series(1, $2::int) g join m on m.n = 1 + g % m.all`;
