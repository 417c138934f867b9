import type { Answer } from '../src/load.ts';

/** Asks for a page. */
export type Get = (path: string) => Promise<Answer>;

const EVENTS = 1000;
const MESSAGES = 100;

/**
 * The event log, page after page, to its end.
 * @param after the cursor behind which it begins; absent: all of it
 * @throws {Error} when a page is not answered with 200.
 */
export async function* allEvents<Event>(get: Get, after?: string): AsyncGenerator<Event> {
  for (let at = after; ; ) {
    const from = at === undefined ? '' : `&after=${encodeURIComponent(at)}`;
    const { status, body } = await get(`/api/v1/events?limit=${EVENTS}${from}`);
    if (status !== 200) throw new Error(`the events were answered ${status}: ${JSON.stringify(body)}`);
    const { events, next_cursor } = body as { events: Event[]; next_cursor: string };
    yield* events;
    // A page may be short, or empty, for what lies there is not for who asks: its end is where the cursor stays.
    if (next_cursor === at) return;
    at = next_cursor;
  }
}

/**
 * What was said in a conversation between users, in its order; a breach when its numbers have a gap.
 * @throws {Error} when a page is not answered with 200.
 */
export async function wholeHistory<Message extends { seq: number }>(
  get: Get,
  conversation: string,
  breaches: string[],
): Promise<Message[]> {
  const all: Message[] = [];
  for (let page = ''; ; ) {
    const { status, body } = await get(`/api/v1/conversations/${conversation}/messages?limit=${MESSAGES}${page}`);
    if (status !== 200) throw new Error(`a history was answered ${status}: ${JSON.stringify(body)}`);
    const { messages, next_cursor } = body as { messages: Message[]; next_cursor: string | null };
    all.push(...messages);
    if (next_cursor === null) break;
    page = `&before_id=${next_cursor}`;
  }
  all.sort((a, b) => a.seq - b.seq);
  const gap = all.findIndex(({ seq }, at) => seq !== at + 1);
  if (gap >= 0) breaches.push(`in ${conversation} number ${all[gap]?.seq} comes where ${gap + 1} should`);
  return all;
}

/** The ids of those messages that are open, all pages of them; null: it cannot be asked now. */
export async function openOf(get: Get, ours: ReadonlySet<string>): Promise<string[] | null> {
  const open: string[] = [];
  for (let page = ''; ; ) {
    const { status, body } = await get(`/api/v1/messages?status=queued&limit=${MESSAGES}${page}`);
    if (status !== 200) return null;
    const { messages, next_cursor } = body as { messages: { id: string }[]; next_cursor: string | null };
    for (const { id } of messages) if (ours.has(id)) open.push(id);
    if (next_cursor === null) return open;
    page = `&cursor=${encodeURIComponent(next_cursor)}`;
  }
}
