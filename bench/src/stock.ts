import pg from 'pg';
import { pour } from './load.ts';

/**
 * Messages that are there before a measurement, written into the tables as accepting, sending and receipts would have left them: making
 * ten million by HTTP would take two hours. Each customer has a conversation with one number, and on average ten messages that were
 * read. What is only added to and pruned, events and raw webhooks, is left out.
 */
export interface Stock extends AsyncDisposable {
  /** Adds messages that were read, up to so many in all. */
  storeUpTo(stored: number): Promise<void>;
  /** Adds messages that are due, each to another customer, up to so many in all. After `storeUpTo`, which makes the customers. */
  waitUpTo(waiting: number): Promise<void>;
  /** Bytes of the database on disk. */
  size(): Promise<number>;
}

/** Rows of a statement, and statements at a time. */
const ROWS = 200_000;
const WIDTH = 2;
const A_CUSTOMER = 10;

/** All customers in turn, as campaigns go. */
const CUSTOMER = 'g % $4';

/** A time-ordered id: the time in milliseconds, and random bits behind it. */
const ID = `(lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7' || substr(md5(random()::text), 1, 3)
  || '8' || substr(md5(random()::text), 1, 15))::uuid`;

/** A customer's contact (7000) or conversation (7001): time-ordered as well, in the order of the customers. */
const idOf = (customer: string, kind: '7000' | '7001'): string =>
  `(lpad(to_hex(1767225600000 + ${customer}), 12, '0') || '${kind}8000' || lpad(to_hex(${customer}), 12, '0'))::uuid`;

const MADE = (customer: string, at: string) => `
made as materialized (
  select g, customer, at, ${ID} as id, n.id as sender, n.lane_id as lane, 'wamid.HBgN' || upper(md5(random()::text)) as wamid,
    ${idOf('customer', '7000')} as contact, ${idOf('customer', '7001')} as conversation,
    '+62' || 8100000000 + customer as address,
    jsonb_build_object('text', 'Hello number ' || g || ', your order has been shipped and will be with you soon.') as content
  from (select g, ${customer} as customer, ${at} as at from generate_series($2::bigint, $3::bigint) as g) as each
  join unnest($5::uuid[], $6::int[]) with ordinality as n(id, lane_id, place) on n.place = 1 + customer % cardinality($5::uuid[])
)`;

/** The ended ones came over twenty days, the youngest a day ago: pages of the tables are in the order of their age, as in life. */
const STORED = `
with ${MADE(CUSTOMER, `now() - interval '1 day' - ($7::bigint - g) * (interval '20 days' / $7::bigint)`)}, m as (
  insert into messages (tenant_id, id, sender_id, contact_id, conversation_id, direction, state, state_before, type, category,
    priority, attempt, wamid, address, content, created_at, sending_at, answered_at, sent_at, delivered_at, read_at)
  select $1::uuid, id, sender, contact, conversation, 'outbound', 'read', 'delivered', 'text', 'service', 1, 1, wamid, address, content,
    at, at, at, at, at, at
  from made order by id
)
insert into wamids (tenant_id, wamid, message_id) select $1::uuid, wamid, id from made order by wamid`;

const WAITING = `
with ${MADE('g - 1', `now() - interval '1 hour' + g * (interval '30 minutes' / $4::bigint)`)}, m as (
  insert into messages (tenant_id, id, sender_id, contact_id, conversation_id, direction, state, state_before, type, category,
    priority, address, content, created_at)
  select $1::uuid, id, sender, contact, conversation, 'outbound', 'queued', 'queued', 'text', 'service', 2, address, content, at
  from made order by id
)
insert into due (tenant_id, message_id, lane_id, sender_id, priority, due_at)
select $1::uuid, id, lane, sender, 2, at from made order by id`;

const PEOPLE = `
with people as materialized (
  select g, ${idOf('g', '7000')} as id, '+62' || 8100000000 + g as phone from generate_series($2::bigint, $3::bigint) g
), c as (
  insert into contacts (tenant_id, id) select $1, id from people
), i as (
  insert into contact_identities (tenant_id, kind, value, contact_id) select $1, 'phone', phone, id from people
)
insert into conversations (tenant_id, id, sender_id, contact_id)
select $1, ${idOf('g', '7001')}, ($4::uuid[])[1 + g % cardinality($4::uuid[])], id from people`;

const COUNTED = `
insert into message_counts (tenant_id, sender_id, direction, type, from_state, to_state, slot, n)
select $1, s, 'outbound', 'text', from_state, to_state, 0, $3
from unnest($2::uuid[]) s
cross join unnest($4::text[], $5::text[]) as x(from_state, to_state)
on conflict (tenant_id, sender_id, direction, type, from_state, to_state, slot) do update set n = message_counts.n + excluded.n`;

/**
 * Opens the stock of the one tenant of a database.
 * @param most what it will have in the end: it is spread over the same days however much of it is there
 */
export async function openStock(
  databaseUrl: string,
  most: { stored: number; waiting: number },
  log: (text: string) => void,
): Promise<Stock> {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: WIDTH,
    // What is made here may be lost with the machine.
    options: '-c synchronous_commit=off -c plan_cache_mode=force_custom_plan -c work_mem=64MB',
  });
  // What the server says to an idle connection, as when its database goes, ends nothing: the next statement tells it.
  pool.on('error', () => {});
  const { rows: senders } = await pool.query<{ tenant_id: string; id: string; lane_id: number }>(
    'select tenant_id, id, lane_id from senders order by id',
  );
  const tenant = senders[0]?.tenant_id;
  const numbers = senders.map(({ id }) => id);
  const lanes = senders.map(({ lane_id }) => lane_id);
  const customers = Math.max(Math.ceil(most.stored / A_CUSTOMER), most.waiting);
  let stored = 0;
  let waiting = 0;

  /** From the one after `from` to `to`, in pieces. */
  async function inPieces(what: string, from: number, to: number, statement: string, more: unknown[]): Promise<void> {
    const began = performance.now();
    await pour(Math.ceil((to - from) / ROWS), WIDTH, async (i) => {
      const first = from + i * ROWS;
      await pool.query(statement, [tenant, first + 1, Math.min(to, first + ROWS), ...more]);
    });
    const rate = (to - from) / ((performance.now() - began) / 1000);
    if (to > from) log(`${to} ${what} (${Math.round(rate)} a second)`);
  }

  async function count(states: readonly string[], n: number): Promise<void> {
    const each = Math.ceil(n / numbers.length);
    await pool.query(COUNTED, [tenant, numbers, each, states.slice(0, -1), states.slice(1)]);
  }

  /** What autovacuum would do a while later, in the middle of a measurement. */
  async function tidy(...tables: string[]): Promise<void> {
    for (const table of tables) await pool.query(`vacuum (analyze) ${table}`);
  }

  return {
    async storeUpTo(wanted) {
      if (stored === 0) {
        // Counted from 0, as what is left of a division.
        await inPieces('customers', -1, customers - 1, PEOPLE, [numbers]);
        await tidy('contacts', 'contact_identities', 'conversations');
      }
      const more = [customers, numbers, lanes, most.stored];
      await inPieces('messages stored', stored, wanted, STORED, more);
      await count(['', 'queued', 'sent', 'delivered', 'read'], wanted - stored);
      stored = wanted;
      await tidy('messages', 'wamids');
    },
    async waitUpTo(wanted) {
      if (wanted === waiting) return;
      await inPieces('messages waiting', waiting, wanted, WAITING, [most.waiting, numbers, lanes]);
      await count(['', 'queued'], wanted - waiting);
      waiting = wanted;
      await tidy('messages', 'due');
    },
    async size() {
      const { rows } = await pool.query<{ size: string }>('select pg_database_size(current_database()) as size');
      return Number(rows[0]?.size);
    },
    [Symbol.asyncDispose]: () => pool.end(),
  };
}
