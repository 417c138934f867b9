import pg from 'pg';
import { eventCursors } from '../../server/src/domain/event-cursor.ts';
import type { TenantId } from '../../server/src/domain/ids.ts';
import { writePageCursor } from '../../server/src/http/cursors.ts';
import { AGENT, type HistoryStock, MEMBER, USER } from './history-stock.ts';

/** A way to ask, with several questions of its kind. */
export interface Shape {
  name: string;
  /** The user for whom it is asked; absent: software asks. */
  user?: string;
  paths: readonly string[];
}

/** How many questions of a kind there are. */
const EACH = 40;

/** The places in a row of `of` that are spread evenly from its beginning to its end. */
const SPREAD = (what: string, from: string): string => `
with n as materialized (select ${what} as x, row_number() over () as place, count(*) over () as n from ${from})
select x from n where place % greatest(n / ${EACH}, 1) = 0 order by place limit ${EACH}`;

/**
 * Everything that is read of histories and lists, by the way it is asked. Ids and cursors
 * are of what is there, from the beginning of each list to its end.
 */
export async function historyQuestions(
  databaseUrl: string,
  { tenant, sender }: { tenant: string; sender: string },
  { customer, direct, group }: HistoryStock,
): Promise<Shape[]> {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  try {
    const pick = async (what: string, from: string): Promise<string[]> => {
      const { rows } = await client.query<{ x: string }>(SPREAD(what, from), []);
      if (rows.length === 0) throw new Error(`nothing is there of ${from}`);
      return rows.map(({ x }) => x);
    };
    const of = (table: string, condition: string, order: string): string =>
      `(select * from ${table} where tenant_id = '${tenant}' and ${condition} order by ${order}) t`;
    const inGroup = await pick('id', of('chat_messages', `conversation_id = '${group}'`, 'seq'));
    const inDirect = await pick('id', of('chat_messages', `conversation_id = '${direct}'`, 'seq'));
    const notes = await pick('id', of('chat_messages', `conversation_id = '${customer}'`, 'id'));
    const said = await pick('id', of('messages', `conversation_id = '${customer}'`, 'id'));
    const messages = await pick('id', of('messages', 'true', 'id'));
    const ofSoftware = await pick('id', of('conversations', 'true', 'id'));
    const short = await pick('id', of('conversations', `type = 'customer' and last_message_at is not null`, 'id'));
    const threads = await pick('parent_id', of('chat_messages', 'parent_id is not null', 'parent_id'));
    const contacts = await pick('id', of('contacts', 'true', 'id'));
    const batches = await pick('batch_id', of('messages', 'batch_id is not null', 'batch_id'));
    const days = await pick(`created_at::date::text`, of('messages', 'true', 'id'));
    const people = await pick('user_id', of('participants', `user_id like 'user-%'`, 'user_id'));
    const [thread = ''] = await pick(
      'parent_id',
      of('chat_messages', `conversation_id = '${group}' and replies = 0 and parent_id is not null`, 'seq'),
    );
    const answers = await pick('id', of('chat_messages', `parent_id = '${thread}'`, 'seq'));
    const [longContact = ''] = await pick('contact_id', of('conversations', `id = '${customer}'`, 'id'));

    const history = (id: string): string => `/api/v1/conversations/${id}/messages?limit=50`;
    const before = (id: string) => (place: string) => `${history(id)}&before_id=${place}`;
    const after = (id: string) => (place: string) => `${history(id)}&after_id=${place}`;
    const conversations = '/api/v1/conversations?limit=50';
    const list = '/api/v1/messages?limit=50';
    const deep = (path: string) => (id: string) => `${path}&cursor=${writePageCursor(id)}`;
    const asJson = (place: unknown): string => Buffer.from(JSON.stringify(place)).toString('base64url');
    const allOf = (filter: string): string[] =>
      ofSoftware.map((id) => `${conversations}${filter}&cursor=${asJson([id])}`);
    const placesOf = async (user: string): Promise<string[]> => {
      const activity = '(extract(epoch from coalesce(v.last_message_at, v.created_at)) * 1000000)::int8';
      const places = await pick(
        `id || ' ' || activity`,
        `(select v.id, ${activity} as activity from participants p join conversations v on v.tenant_id = p.tenant_id and v.id = p.conversation_id
          where p.tenant_id = '${tenant}' and p.user_id = '${user}' order by activity desc, v.id desc) t`,
      );
      return places.map((place) => place.split(' ')).map(([id, at]) => asJson([id, Number(at)]));
    };
    const laterOf = async (user: string, filter = ''): Promise<string[]> =>
      (await placesOf(user)).map((cursor) => `${conversations}${filter}&cursor=${cursor}`);
    const cursors = eventCursors(tenant as TenantId);
    const events = (await pick(`xid::text || ' ' || id`, of('events', 'true', 'xid, id')))
      .map((place) => place.split(' '))
      .map(([xid = '', id = '']) => `/api/v1/events?limit=100&after=${cursors.write({ xid, id })}`);
    return [
      { name: 'history of a long group', user: MEMBER, paths: [history(group)] },
      { name: 'history of a long group, before', user: MEMBER, paths: inGroup.map(before(group)) },
      { name: 'history of a long group, after', user: MEMBER, paths: inGroup.map(after(group)) },
      { name: 'history of a long direct one, before', paths: inDirect.map(before(direct)) },
      { name: 'history of a long one with a customer', user: AGENT, paths: [history(customer)] },
      { name: 'history of a long one with a customer, before', user: AGENT, paths: said.map(before(customer)) },
      { name: 'history of a long one with a customer, before a note', paths: notes.map(before(customer)) },
      { name: 'history of a long one with a customer, after', user: AGENT, paths: said.map(after(customer)) },
      { name: 'history of short ones with customers', user: AGENT, paths: short.map(history) },
      {
        name: 'answers to a message',
        user: MEMBER,
        paths: threads.map((id) => `/api/v1/messages/${id}/replies?limit=50`),
      },
      {
        name: 'answers to a message that has very many, after',
        user: MEMBER,
        paths: answers.map((id) => `/api/v1/messages/${thread}/replies?limit=50&after_id=${id}`),
      },
      { name: "users' conversations", user: USER, paths: [conversations] },
      { name: "an agent's conversations, of all customers", user: AGENT, paths: [conversations] },
      { name: "an agent's conversations, later pages", user: AGENT, paths: await laterOf(AGENT) },
      { name: "an agent's conversations, open", user: AGENT, paths: [`${conversations}&open=true`] },
      { name: "an agent's conversations, open, later pages", user: AGENT, paths: await laterOf(AGENT, '&open=true') },
      {
        name: "an agent's conversations, groups, later pages",
        user: AGENT,
        paths: await laterOf(AGENT, '&type=group'),
      },
      { name: "an agent's conversations, closed", user: AGENT, paths: [`${conversations}&open=false`] },
      { name: "an agent's conversations, groups: none", user: AGENT, paths: [`${conversations}&type=group`] },
      { name: "a member's conversations, groups", user: MEMBER, paths: [`${conversations}&type=group`] },
      { name: "a member's conversations, later pages", user: MEMBER, paths: await laterOf(MEMBER) },
      { name: "the tenant's conversations", paths: allOf('') },
      { name: "the tenant's conversations, open", paths: allOf('&open=true') },
      { name: "the tenant's conversations, closed", paths: allOf('&open=false') },
      { name: "the tenant's conversations, direct", paths: allOf('&type=direct') },
      { name: "the tenant's conversations, groups", paths: allOf('&type=group') },
      { name: "the tenant's conversations, of customers", paths: allOf('&type=customer') },
      { name: 'a conversation', user: AGENT, paths: [customer, ...short].map((id) => `/api/v1/conversations/${id}`) },
      { name: 'messages', paths: [list, ...messages.map(deep(list))] },
      { name: 'messages of a sender', paths: messages.map(deep(`${list}&sender_id=${sender}`)) },
      { name: 'messages of a long conversation', paths: said.map(deep(`${list}&conversation_id=${customer}`)) },
      { name: 'messages of a contact with a long one', paths: said.map(deep(`${list}&contact_id=${longContact}`)) },
      {
        name: 'messages of a contact with a long one, inbound',
        paths: said.map(deep(`${list}&contact_id=${longContact}&direction=inbound`)),
      },
      { name: 'messages of a batch', paths: batches.map((id) => `${list}&batch_id=${id}`) },
      { name: 'messages, inbound', paths: messages.map(deep(`${list}&direction=inbound`)) },
      { name: 'messages, status read', paths: messages.map(deep(`${list}&status=read`)) },
      { name: 'messages, status queued', paths: [`${list}&status=queued`] },
      { name: 'messages, state scheduled', paths: [`${list}&state=scheduled`] },
      { name: 'messages, status failed: one in a thousand', paths: messages.map(deep(`${list}&status=failed`)) },
      { name: 'messages, error and code', paths: messages.map(deep(`${list}&error=send_failed&error_code=131026`)) },
      { name: 'messages, a type that is rare', paths: messages.map(deep(`${list}&type=document`)) },
      { name: 'messages of a day', paths: days.map((day) => `${list}&start_date=${day}&end_date=${day}`) },
      { name: 'messages, page 20 with its total', paths: [`${list}&page=20`] },
      { name: 'contacts', paths: ['/api/v1/contacts?limit=50', ...contacts.map(deep('/api/v1/contacts?limit=50'))] },
      { name: 'contacts by name', paths: ['/api/v1/contacts?limit=50&name=customer%2012'] },
      { name: 'contacts by attribute', paths: ['/api/v1/contacts?limit=50&attribute=city:City%2042'] },
      { name: "a contact's conversations", paths: contacts.map((id) => `/api/v1/contacts/${id}/conversations`) },
      { name: 'events', paths: events },
      { name: 'events of a user', user: USER, paths: events },
      { name: 'events of a user who is in few', user: people.at(-1) ?? USER, paths: events },
      { name: 'a message', paths: messages.map((id) => `/api/v1/messages/${id}`) },
      { name: 'why a message waits', paths: messages.map((id) => `/api/v1/messages/${id}/explain`) },
    ];
  } finally {
    await client.end();
  }
}
