import type { JsonObject } from '../json.ts';
import { json, type Reply } from '../reply.ts';
import type { Picked } from './fields.ts';

const USUAL = 25;
const MOST = 1000;

/**
 * A list as Graph pages it: `limit` items from the cursor `after`, cursors of both ends, and `next` while there is more.
 * `show` may refuse what is asked of an item.
 */
export function listPage<T>(
  items: readonly T[],
  query: URLSearchParams,
  url: string,
  show: (item: T) => Picked,
): Reply {
  const limit = Math.min(Math.max(Number(query.get('limit') ?? USUAL) || USUAL, 1), MOST);
  const start = position(query.get('after'));
  const data: JsonObject[] = [];
  for (const item of items.slice(start, start + limit)) {
    const shown = show(item);
    if ('problem' in shown) return shown.problem;
    data.push(shown.fields);
  }
  if (data.length === 0) return json({ data: [] });
  const after = cursor(start + data.length);
  const paging: JsonObject = { cursors: { before: cursor(start), after } };
  if (start + data.length < items.length) {
    const next = new URLSearchParams(query);
    next.delete('access_token');
    next.set('after', after);
    next.set('limit', String(limit));
    paging.next = `${url}?${next}`;
  }
  return json({ data, paging });
}

function cursor(at: number): string {
  return Buffer.from(String(at)).toString('base64url');
}

function position(text: string | null): number {
  return text === null ? 0 : Number(Buffer.from(text, 'base64url').toString()) || 0;
}
