import { createHash } from 'node:crypto';
import type { Db } from '../../server/src/db/pool.ts';
import type { LoadClient } from '../src/load.ts';
import { allEvents } from './read-all.ts';

/** An event of the log, as far as the drill compares it. */
export interface LoggedEvent {
  id: string;
  type: string;
  cursor: string;
  prev: string;
  /** Of the conversation that it is about. */
  conversation: string | null;
  /** Of the message that it is about. */
  message: string | null;
  /** Who said that message. */
  author: string | null;
  /** Whom a notification is for. */
  user: string | null;
  /** Of what it tells: see `fingerprint`. */
  digest: string;
}

/** What an event tells, of every type. */
interface EventData {
  conversation_id?: string;
  conversation?: { id: string };
  message?: { id: string; conversation_id: string; user_id: string | null };
  user_id?: string;
}

interface WrittenEvent {
  id: string;
  type: string;
  cursor: string;
  prev: string;
  data: EventData;
}

/** The log as the tenant's software reads it. @param start the cursor behind which it begins; absent: all of it */
export async function readLog(api: LoadClient, start?: string): Promise<LoggedEvent[]> {
  const log: LoggedEvent[] = [];
  for await (const { id, type, cursor, prev, data } of allEvents<WrittenEvent>((path) => api.ask(path), start)) {
    log.push({
      ...{ id, type, cursor, prev },
      conversation: data.message?.conversation_id ?? data.conversation?.id ?? data.conversation_id ?? null,
      message: data.message?.id ?? null,
      author: data.message?.user_id ?? null,
      user: type.startsWith('notification.') ? (data.user_id ?? null) : null,
      digest: fingerprint(data),
    });
  }
  return log;
}

/** The same for equal values, whatever the order of their fields. */
export function fingerprint(value: unknown): string {
  const text = JSON.stringify(value, (_, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
  return createHash('sha1').update(text).digest('base64');
}

/** Those of these consumers who have not come to the end of the tenant's log yet, by what the database has of them. */
export async function consumersBehind(db: Db, tenant: string, consumers: readonly string[]): Promise<string[]> {
  const rows = await db.query<{ consumer: string }>(
    {
      name: 'drill_consumers_behind',
      text: `select w.consumer from unnest($2::text[]) as w(consumer)
        left join event_consumers c on c.tenant_id = $1 and c.consumer = w.consumer
        where c.tenant_id is null or exists (
          select from events e where e.tenant_id = $1 and (e.xid, e.id) > (c.xid, c.event_id))`,
    },
    [tenant, consumers],
  );
  return rows.map((row) => row.consumer);
}
