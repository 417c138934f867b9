import pg from 'pg';

/*
 * Conversations with all that was said in them, written into the tables as the product would have left them: by HTTP five million
 * messages would take hours. Three conversations of one tenant are very long, one of each type; of the others few are long and most short.
 * One user is in all that the tenant has with customers, of which most are closed.
 */

/** How much of everything one tenant has. */
interface Size {
  /** Between users, and notes. */
  chat: number;
  /** Of WhatsApp, both ways. */
  whatsapp: number;
  customers: number;
  directs: number;
  groups: number;
}

/** Who and what a benchmark asks for. */
export interface HistoryStock {
  messages: number;
  /** Of the tenant that is asked. */
  size: Size;
  /** The long ones. */
  customer: string;
  direct: string;
  group: string;
}

/** In every conversation with a customer; in every group; in some twenty conversations. */
export const AGENT = 'agent';
export const MEMBER = 'member';
export const USER = 'user-1';
/** The messages of WhatsApp that name a batch, each thousandth: its number is the message's divided by so many. */
const A_BATCH = 20_000;

/** In all; a small store has few. */
const TENANTS = 50;
const FEW_TENANTS = 5;
const USERS = 2000;
const ROWS = 100_000;
/** Members of one group in fifty, and of the others. */
const LARGE_GROUP = 1024;
const SMALL_GROUP = 20;

type Kind = '7001' | '7002' | '7003' | '7004' | '7005' | '7006' | '7007';

/** An id of the time of `at` in milliseconds, of which `g` can be told. */
const idOf = (g: string, kind: Kind, at: string): string => `
  (lpad(to_hex(${at}), 12, '0') || '${kind}8' || substr(md5('${kind}' || ${g}), 1, 3) || lpad(to_hex(${g}), 12, '0'))::uuid`;
/** Conversations and contacts came one a millisecond of a day that has long been over. */
const customerId = (g: string): string => idOf(g, '7001', `1767225600000 + ${g}`);
const directId = (g: string): string => idOf(g, '7002', `1767225600000 + ${g}`);
const groupId = (g: string): string => idOf(g, '7003', `1767225600000 + ${g}`);
const contactId = (g: string): string => idOf(g, '7004', `1767225600000 + ${g}`);
const batchId = (g: string): string => idOf(g, '7007', '1767225600000');
/** Messages come evenly over thirty days. $2: when they began, $3: milliseconds from one to the next, as a double. */
const AT = (g: string): string => `($2::bigint + (${g} * $3::float8)::bigint)`;

/** Few have most: the place of one among `n` by its number. */
const skewed = (g: string, n: string): string =>
  `floor(${n} * power((hashint8(${g})::bigint + 2147483648) / 4294967296.0::float8, 3))::bigint`;

const CUSTOMERS = `
with made as materialized (
  select g, ${contactId('g')} as contact, ${customerId('g')} as id, '+62' || 81000000000 + g as phone from generate_series(0, $2::bigint - 1) g
), c as (
  insert into contacts (tenant_id, id, name, attributes, created_at)
  select $1, contact, 'Customer ' || g, jsonb_build_object('city', 'City ' || g % 500), to_timestamp(1767225600 + g / 1000.0) from made
), i as (
  insert into contact_identities (tenant_id, kind, value, contact_id) select $1, 'phone', phone, contact from made
), p as (
  insert into participants (tenant_id, conversation_id, user_id, list, slot)
  select $1, id, u, 0, now() from made cross join lateral unnest(array['${AGENT}', 'agent-' || g % 20]) u
)
insert into conversations (tenant_id, id, type, sender_id, contact_id, created_at, closed_at, unread_count, participant_count)
select $1, id, 'customer', $3, contact, to_timestamp(1767225600 + g / 1000.0),
  case when g > 0 and hashint8(g) % 20 <> 0 then now() end, g % 3, 2 from made`;

const DIRECTS = `
with made as materialized (
  select g, ${directId('g')} as id, 'user-' || g % ${USERS} as one, 'user-' || (g + 1 + g / ${USERS}) % ${USERS} as other
  from generate_series(0, $2::bigint - 1) g
), p as (
  insert into participants (tenant_id, conversation_id, user_id, list, slot)
  select $1, id, u, 0, now() from made cross join lateral unnest(array[one, other]) u
)
insert into conversations (tenant_id, id, type, direct_key, created_at, participant_count)
select $1, id, 'direct', id::text, to_timestamp(1767225600 + g / 1000.0), 2 from made`;

const GROUPS = `
with made as materialized (
  select g, ${groupId('g')} as id, case when g % 50 = 0 then ${LARGE_GROUP} else ${SMALL_GROUP} end as members
  from generate_series(0, $2::bigint - 1) g
), p as (
  insert into participants (tenant_id, conversation_id, user_id, list, slot)
  select $1, id, u, 0, now() from made cross join lateral (
    select '${MEMBER}' as u union all select 'user-' || (g * 7 + n) % ${USERS} from generate_series(2, members) n
  ) u
)
insert into conversations (tenant_id, id, type, title, created_at, participant_count)
select $1, id, 'group', 'Group ' || g, to_timestamp(1767225600 + g / 1000.0), members from made`;

// A tenth is in one group, a twentieth in one direct conversation; notes are a hundredth, in one conversation with a customer.
// Of the long group's messages half are answers: a fifth of them to one message, the others to the latest of each 5,000.
const CHAT = `
with made as materialized (
  select g, to_timestamp(${AT('g')} / 1000.0) as at, ${idOf('g', '7005', AT('g'))} as id,
    case when g % 100 = 7 then ${customerId('0')} when g % 10 = 0 then ${groupId('0')} when g % 20 = 1 then ${directId('0')}
      when g % 3 = 0 then ${groupId(skewed('g', '$5::bigint'))} else ${directId(skewed('g', '$4::bigint'))} end as conversation,
    case when g % 10 > 0 or g % 20 > 0 then null when g % 100 = 0 then 10 when g > 5000 and g % 5000 > 0 then g - g % 5000 end as parent
  from generate_series($6::bigint, $7::bigint) g
), numbered as materialized (
  select m.*, v.last_seq + row_number() over (partition by v.id order by g) as seq
  from made m join conversations v on v.tenant_id = $1 and v.id = m.conversation
), v as (
  update conversations v set last_seq = n.seq, last_message_at = greatest(v.last_message_at, n.at)
  from (select conversation, max(seq) as seq, max(at) as at from numbered group by 1) n
  where v.tenant_id = $1 and v.id = n.conversation
), e as (
  insert into events (tenant_id, id, type, conversation_id, data)
  select $1, ${idOf('g', '7006', AT('g'))}, 'chat.created', conversation, jsonb_build_object('message', jsonb_build_object(
    'id', id, 'conversation_id', conversation, 'seq', seq, 'user_id', 'user-' || g % ${USERS}, 'sender_type', 'user',
    'content', 'Message ' || g || ': the minutes of the meeting are in the usual folder.', 'message_type', 'text', 'mentions', '[]'::jsonb,
    'parent_message_id', null, 'metadata', null, 'note', g % 100 = 7, 'reactions', '[]'::jsonb, 'edited_at', null, 'deleted_at', null,
    'created_at', to_char(at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')))
  from numbered order by g
)
insert into chat_messages (tenant_id, id, conversation_id, seq, user_id, sender_type, message_type, content, mentions, parent_id, note,
  reactions, edits, created_at, edited_at)
select $1, id, conversation, seq, case when g % 100 = 7 then '${AGENT}' else 'user-' || g % ${USERS} end,
  case when g % 100 = 7 then 'agent' else 'user' end, 'text', 'Message ' || g || ': the minutes of the meeting are in the usual folder.',
  case when g % 30 = 1 then jsonb_build_array(jsonb_build_object('user_id', 'user-' || g % 7, 'offset', 0, 'length', 7)) else '[]' end,
  case when parent is not null then ${idOf('parent', '7005', AT('parent'))} end, g % 100 = 7,
  case when g % 20 = 3 then jsonb_build_array(jsonb_build_object('user_id', 'user-3', 'emoji', '👍',
    'at', to_char(at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))) else '[]' end,
  case when g % 50 = 2 then 1 else 0 end, at, case when g % 50 = 2 then at end
from numbered order by g`;

/** Everybody has read all but what came last. */
const READ = `
update participants p set delivered_seq = v.last_seq, read_seq = v.read, list = conversation_list(v.type, v.closed_at, v.last_message_at),
  slot = conversation_slot(v.last_message_at, v.created_at), own_ahead = (
    select count(*) from chat_messages c
    where c.tenant_id = $1 and c.conversation_id = v.id and c.seq > v.read and c.user_id = p.user_id)
from (
  select v.*, n.user_id, greatest(v.last_seq - abs(hashtext(n.user_id)) % 20, 0) as read
  from conversations v join participants n on n.tenant_id = v.tenant_id and n.conversation_id = v.id where v.tenant_id = $1
) v
where p.tenant_id = $1 and p.conversation_id = v.id and p.user_id = v.user_id`;

const ANSWERED = `
update chat_messages c set replies = a.n
from (select parent_id, count(*) as n from chat_messages where tenant_id = $1 and parent_id is not null group by 1) a
where c.tenant_id = $1 and c.id = a.parent_id`;

// A tenth is of one customer. One outbound message in a thousand failed, one in five thousand is a document, one in forty is of a batch.
const WHATSAPP = `
with made as materialized (
  select g, customer, to_timestamp(${AT('g')} / 1000.0) as at, ${idOf('g', '7006', AT('g'))} as id, g % 2 = 1 as inbound,
    g % 1000 = 0 as failed, ${customerId('customer')} as conversation, ${contactId('customer')} as contact
  from (select g, case when g % 20 < 2 then 0 else ${skewed('g', '$4::bigint')} end as customer
    from generate_series($6::bigint, $7::bigint) g) each
), v as (
  update conversations v set last_message_at = greatest(v.last_message_at, n.at)
  from (select conversation, max(at) as at from made group by 1) n where v.tenant_id = $1 and v.id = n.conversation
), a as (
  insert into attempts (tenant_id, message_id, attempt, started_at, ended_at, outcome)
  select $1, id, 1, at, at, 'refused' from made where failed order by id
), w as (
  insert into wamids (tenant_id, wamid, message_id) select $1, 'wamid.' || g, id from made where not failed order by 2
), d as (
  insert into dead_letters (tenant_id, message_id, sender_id, batch_id, word, code, uncertain, failed_at)
  select $1, id, $5, null, 'send_failed', 131026, false, at from made where failed
), e as (
  insert into events (tenant_id, id, type, message_id, data)
  select $1, ${idOf('g', '7007', AT('g'))}, case when inbound then 'message.received' when failed then 'message.failed' else 'message.read' end,
    id, case when inbound then '{}' when failed then '{"attempt": 1}' else jsonb_build_object('attempt', 1, 'at',
      to_char(at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) end
  from made order by g
)
insert into messages (tenant_id, id, sender_id, contact_id, conversation_id, batch_id, batch_index, direction, state, state_before, type,
  category, priority, attempt, wamid, address, content, reply_to, created_at, sent_at, delivered_at, read_at, failed_at, error,
  sending_at, answered_at)
select $1, id, $5, contact, conversation, case when g % 40 = 6 then ${batchId(`g / ${A_BATCH}`)} end, case when g % 40 = 6 then g end,
  (case when inbound then 'inbound' else 'outbound' end)::message_direction,
  (case when inbound then 'delivered' when failed then 'failed' else 'read' end)::message_state, 'sent',
  case when g % 5000 = 2 then 'document' else 'text' end, 'service', 1, case when inbound then 0 else 1 end,
  case when not failed then 'wamid.' || g end, '+62' || 81000000000 + customer,
  jsonb_build_object('text', 'Hello number ' || g || ', your order has been shipped and will be with you soon.'),
  case when g % 200 = 101 then 'wamid.' || g - 1 end, at, case when not inbound and not failed then at end,
  case when not failed then at end, case when not inbound and not failed then at end, case when failed then at end,
  case when failed then '{"error": "send_failed", "code": 131026, "title": "Message undeliverable", "detail": null}'::jsonb end,
  case when not inbound and not failed then at end, case when not inbound and not failed then at end
from made order by id`;

/** To leave next week. */
const SCHEDULED = `
with made as materialized (
  select g, ${idOf('g', '7006', `(extract(epoch from now()) * 1000)::bigint + g`)} as id, s.lane_id
  from generate_series(1, $2::bigint) g join senders s on s.tenant_id = $1 and s.id = $3
), d as (
  insert into due (tenant_id, message_id, lane_id, sender_id, priority, due_at)
  select $1, id, lane_id, $3, 2, now() + interval '7 days' from made
)
insert into messages (tenant_id, id, sender_id, contact_id, conversation_id, direction, state, state_before, type, category, priority,
  address, content, created_at, scheduled_at)
select $1, id, $3, ${contactId('g')}, ${customerId('g')}, 'outbound', 'queued', 'queued', 'text', 'service', 1, '+62' || 81000000000 + g,
  '{"text": "See you tomorrow."}', now(), now() + interval '7 days' from made`;

const COUNTS = `
insert into message_counts (tenant_id, sender_id, direction, type, from_state, to_state, slot, n)
select $1, $2, direction::message_direction, 'text', '', state, 0, n
from (values ('inbound', 'delivered', $3::bigint / 2), ('outbound', 'failed', $3 / 1000),
  ('outbound', 'read', $3 - $3 / 2 - $3 / 1000), ('outbound', 'queued', $4::bigint)) as x(direction, state, n)
on conflict (tenant_id, sender_id, direction, type, from_state, to_state, slot) do update set n = message_counts.n + excluded.n`;

const OTHERS = `
with t as (
  insert into tenants (id, name) select gen_random_uuid(), 'Tenant ' || g from generate_series(1, $2::int) g returning id
)
insert into senders (tenant_id, id, name, channel, lane_id, webhook_url)
select t.id, gen_random_uuid(), 'Shop', 'webhook', s.lane_id, 'http://127.0.0.1:9/' from t cross join (
  select lane_id from senders where tenant_id = $1 limit 1) s
returning tenant_id, id`;

// What is made here is old: nobody who was away is told of it any more, in the middle of a measurement.
const TOLD = `
insert into event_consumers (tenant_id, consumer, xid, event_id) values ($1, 'offline', '9223372036854775807', $1)
on conflict (tenant_id, consumer) do update set xid = excluded.xid`;

const TABLES =
  'contacts, contact_identities, conversations, participants, chat_messages, messages, attempts, wamids, dead_letters, due, events';

/**
 * Fills a database in which one tenant has a sender.
 * @param messages of all tenants; four fifths are of that one. From 5,000.
 */
export async function fillHistory(
  databaseUrl: string,
  { tenant, sender }: { tenant: string; sender: string },
  messages: number,
  log: (text: string) => void,
): Promise<HistoryStock> {
  const client = new pg.Client({
    connectionString: databaseUrl,
    // What is made here may be lost with the machine.
    options: '-c synchronous_commit=off -c work_mem=64MB -c jit=off',
  });
  await client.connect();
  try {
    const most = Math.min(1, messages / 1_000_000);
    const tenants = messages < 500_000 ? FEW_TENANTS : TENANTS;
    const own = Math.floor(messages * 0.8);
    const size: Size = {
      chat: Math.floor(own * 0.6),
      whatsapp: own - Math.floor(own * 0.6),
      customers: Math.ceil(100_000 * most),
      directs: Math.ceil(10_000 * most),
      groups: Math.ceil(1_000 * most),
    };
    await fillTenant(client, { tenant, sender }, size, log);
    const others = (await client.query<{ tenant_id: string; id: string }>(OTHERS, [tenant, tenants - 1])).rows;
    const each = Math.ceil((messages - own) / others.length);
    for (const other of others) {
      const part = { chat: each - Math.floor(each / 3), whatsapp: Math.floor(each / 3), groups: 10 };
      const people = { customers: Math.ceil(800 * most), directs: Math.ceil(200 * most) };
      await fillTenant(client, { tenant: other.tenant_id, sender: other.id }, { ...part, ...people }, () => {});
    }
    log(`${others.length} other tenants filled`);
    // What autovacuum would do a while later, in the middle of a measurement.
    await client.query(`vacuum (analyze) ${TABLES}`);
    const { rows } = await client.query<Pick<HistoryStock, 'customer' | 'direct' | 'group'>>(
      `select ${customerId('0')} as customer, ${directId('0')} as direct, ${groupId('0')} as group`,
    );
    const [long] = rows;
    if (!long) throw new Error('a select without a table gave no row');
    return { messages, size, ...long };
  } finally {
    await client.end();
  }
}

async function fillTenant(
  client: pg.Client,
  { tenant, sender }: { tenant: string; sender: string },
  { chat, whatsapp, customers, directs, groups }: Size,
  log: (text: string) => void,
): Promise<void> {
  await client.query(TOLD, [tenant]);
  await client.query(CUSTOMERS, [tenant, customers, sender]);
  await client.query(DIRECTS, [tenant, directs]);
  await client.query(GROUPS, [tenant, groups]);
  await client.query('analyze conversations, participants');
  log(`${customers + directs + groups} conversations`);
  const days = 30 * 86_400_000;
  const began = Date.now() - days;
  async function inPieces(what: string, n: number, statement: string, four: unknown, five: unknown): Promise<void> {
    for (let from = 1; from <= n; from += ROWS) {
      const to = Math.min(n, from + ROWS - 1);
      await client.query(statement, [tenant, began, days / n, four, five, from, to]);
      log(`${to} ${what}`);
    }
  }
  await inPieces('messages between users', chat, CHAT, directs, groups);
  await inPieces('messages of WhatsApp', whatsapp, WHATSAPP, customers, sender);
  await client.query('analyze chat_messages');
  for (const statement of [READ, ANSWERED]) await client.query(statement, [tenant]);
  const scheduled = Math.floor(customers / 50);
  await client.query(SCHEDULED, [tenant, scheduled, sender]);
  await client.query(COUNTS, [tenant, sender, whatsapp, scheduled]);
}
