import type { CarefulClient } from './careful-client.ts';
import { allEvents, wholeHistory } from './read-all.ts';

/** What was acknowledged while people talked. */
export interface ChatBook {
  users: readonly string[];
  /** Ids of conversations; the first one is given other titles. */
  talks: readonly string[];
  /** By its text. */
  said: Map<string, { id: string; talk: string; text: string; edited: string | null; likedBy: string | null }>;
  /** In their order. */
  titles: string[];
  /** Texts that were begun. */
  begun: number;
}

interface Message {
  id: string;
  seq: number;
  content: string;
  reactions: { user_id: string }[];
}

interface Event {
  id: string;
  type: string;
  cursor: string;
  prev: string;
  data: { message?: { id: string }; message_id?: string; conversation?: { title: string | null } };
}

/**
 * Compares what is there with what was acknowledged: each message once, as it was changed last, numbered without gaps; each
 * saying, change, reaction and title told once in the stream, whose chain is unbroken; and who reads the last message has read all.
 */
export async function compareChat(
  client: CarefulClient,
  book: ChatBook,
): Promise<{ counts: Record<string, number>; breaches: string[] }> {
  const breaches: string[] = [];
  const messages = new Map<string, Message>();
  for (const talk of book.talks) {
    for (const message of await wholeHistory<Message>(client.get, talk, breaches)) messages.set(message.id, message);
  }
  if (messages.size !== book.said.size)
    breaches.push(`${book.said.size} were acknowledged and ${messages.size} are there`);
  let missing = 0;
  for (const { id, text, edited, likedBy } of book.said.values()) {
    const there = messages.get(id);
    if (!there) missing++;
    else if (there.content !== (edited ?? text)) breaches.push(`"${edited ?? text}" is "${there.content}"`);
    else if ((there.reactions[0]?.user_id ?? null) !== likedBy) breaches.push(`"${text}" is not liked by ${likedBy}`);
  }
  if (missing > 0) breaches.push(`${missing} acknowledged messages are lost`);
  const events = await compareEvents(client, book, breaches);
  await compareReading(client, book, breaches);
  return { counts: { acknowledged: book.said.size, lost: missing, titles: book.titles.length, events }, breaches };
}

async function compareEvents(client: CarefulClient, book: ChatBook, breaches: string[]): Promise<number> {
  const told = new Map<string, number>();
  const ids = new Set<string>();
  let last: string | null = null;
  for await (const { id, type, cursor, prev, data } of allEvents<Event>(client.get)) {
    if (last !== null && prev !== last) breaches.push(`the chain breaks before event ${id}`);
    last = cursor;
    ids.add(id);
    const what = `${type} ${data.message?.id ?? data.message_id ?? data.conversation?.title}`;
    told.set(what, (told.get(what) ?? 0) + 1);
  }
  const expect = (what: string): void => {
    if (told.get(what) !== 1) breaches.push(`${what} was told ${told.get(what) ?? 0} times`);
  };
  for (const { id, edited, likedBy } of book.said.values()) {
    expect(`chat.created ${id}`);
    if (edited !== null) expect(`chat.edited ${id}`);
    if (likedBy !== null) expect(`chat.reaction ${id}`);
  }
  for (const title of book.titles) expect(`conversation.updated ${title}`);
  return ids.size;
}

async function compareReading(
  client: CarefulClient,
  { users, talks, said }: ChatBook,
  breaches: string[],
): Promise<void> {
  for (const user of users) {
    const headers = { 'x-user-id': user };
    for (const talk of talks) {
      const { body } = await client.ask(`/api/v1/conversations/${talk}/messages?limit=1`, { headers });
      const [newest] = (body as { messages: Message[] }).messages;
      if (newest) await client.ask(`/api/v1/messages/${newest.id}/read`, { method: 'POST', body: '{}', headers });
    }
    const { body } = await client.ask('/api/v1/conversations?limit=100', { headers });
    const unread = (body as { conversations: { unread_count: number }[] }).conversations.map((one) => one.unread_count);
    if (unread.length !== talks.length || unread.some((count) => count !== 0)) {
      breaches.push(`${user} has read all of ${said.size} and is told that ${unread.join(', ')} are unread`);
    }
  }
}
