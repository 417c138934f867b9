import { type LoadClient, pour } from '../src/load.ts';
import { until } from '../src/wait.ts';
import { allEvents, wholeHistory } from './read-all.ts';
import type { StreamClient } from './stream-client.ts';
import type { Talk } from './stream-talks.ts';

const SETTLED_WITHIN_MS = 60_000;

/** The stream of each user as REST has it, against what each of his devices got. */
export async function compareStreams(
  api: LoadClient,
  clients: readonly StreamClient[],
): Promise<{ counts: Record<string, number>; breaches: string[] }> {
  const breaches: string[] = [];
  let events = 0;
  let devices_wrong = 0;
  const end = performance.now() + SETTLED_WITHIN_MS;
  await pour(clients.length, 8, async (i) => {
    const client = clients[i] as StreamClient;
    const expected = await streamOf(api, client);
    await until(
      'the device to have it all',
      async () => {
        if (client.seen.length >= expected.length) return true;
        return performance.now() > end || null;
      },
      { deadlineMs: SETTLED_WITHIN_MS + 5000 },
    );
    // Receipts may have followed meanwhile.
    const whole = client.seen.length > expected.length ? await streamOf(api, client) : expected;
    const seen = client.seen.slice(0, whole.length);
    const wrong = whole.findIndex((id, at) => seen[at] !== id);
    events += whole.length;
    if (wrong < 0) return;
    devices_wrong++;
    breaches.push(
      `${client.name} has ${client.seen.length} of ${whole.length} events; the ${wrong + 1}th is ${seen[wrong] ?? 'missing'} instead of ${whole[wrong]}`,
    );
  });
  return { counts: { events, devices_wrong }, breaches };
}

async function streamOf(api: LoadClient, { user, start }: StreamClient): Promise<string[]> {
  const ids: string[] = [];
  const get = (path: string) => api.ask(path, { headers: { 'x-user-id': user } });
  for await (const { id } of allEvents<{ id: string }>(get, start ?? '')) ids.push(id);
  return ids;
}

/** Each acknowledged text is in its conversation once, and the numbers there have no gap. */
export async function compareHistories(
  api: LoadClient,
  talks: readonly Talk[],
  acknowledged: ReadonlyMap<string, string>,
): Promise<string[]> {
  const breaches: string[] = [];
  const times = new Map<string, number>();
  await pour(talks.length, 8, async (i) => {
    const { id } = talks[i] as Talk;
    const messages = await wholeHistory<{ seq: number; content: string }>((path) => api.ask(path), id, breaches);
    for (const { content } of messages) times.set(content, (times.get(content) ?? 0) + 1);
  });
  for (const text of acknowledged.keys()) {
    const count = times.get(text) ?? 0;
    if (count !== 1) breaches.push(`"${text}" was acknowledged and is in its conversation ${count} times`);
  }
  return breaches;
}
