import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Child, start } from '../src/child.ts';
import { temporaryFolder } from '../src/folder.ts';
import { freePort } from '../src/free-port.ts';
import type { LoadClient } from '../src/load.ts';
import { until } from '../src/wait.ts';
import type { Random } from './random.ts';
import { allEvents, type Get } from './read-all.ts';

/** A customer's own server, a process that may die: what is posted to it, by the id that each delivery keeps. */
export interface WebhookSink extends AsyncDisposable {
  readonly url: string;
  /** How often each event came, as far as the server wrote it down before it died. */
  got(): ReadonlyMap<string, number>;
  /** Lets it die by `kill -9` at random times, and come back a moment later, until it is told to live. Gives how often it died. */
  suffer(random: Random): { live(): Promise<number> };
}

export async function startWebhookSink(): Promise<WebhookSink> {
  const folder = temporaryFolder('aldis-sink');
  const file = join(folder.path, 'ids');
  writeFileSync(file, '');
  const port = await freePort();
  let child: Child = await startReceiver();

  function startReceiver(): Promise<Child> {
    return start('bench/drills/webhook-receiver.ts', [String(port), file], { ready: /^receiver ready$/m });
  }

  return {
    url: `http://127.0.0.1:${port}/hook`,
    got() {
      const times = new Map<string, number>();
      for (const id of readFileSync(file, 'utf8').split('\n')) if (id !== '') times.set(id, (times.get(id) ?? 0) + 1);
      return times;
    },
    suffer(random) {
      const ending = new AbortController();
      let deaths = 0;
      async function run(): Promise<void> {
        for (;;) {
          const went = await sleep(random.integer(...LIVES_MS), true, { signal: ending.signal }).catch(() => false);
          if (!went) return;
          await child.kill();
          deaths++;
          await sleep(random.integer(...DEAD_MS));
          child = await startReceiver();
        }
      }
      const running = run();
      return {
        async live() {
          ending.abort();
          await running;
          return deaths;
        },
      };
    },
    async [Symbol.asyncDispose]() {
      await child.kill();
      folder[Symbol.dispose]();
    },
  };
}

/** How long it lives, and how long it is dead: from and to. */
const LIVES_MS = [700, 3000] as const;
const DEAD_MS = [50, 500] as const;

/** Has all events of a tenant posted to the sink from here on. @throws {Error} when it is refused */
export async function addWebhook(api: LoadClient, sink: WebhookSink): Promise<void> {
  const { status, body } = await api.ask('/api/v1/webhooks', {
    method: 'POST',
    body: JSON.stringify({ url: sink.url }),
  });
  if (status !== 201) throw new Error(`the webhook was answered ${status}: ${JSON.stringify(body)}`);
}

/** A third try follows two and a half minutes after the first. */
const DEADLINE_MS = 200_000;

/** The log from its beginning against what came to the sink: exactly its events, each at least once. */
export async function compareWithLog(get: Get, sink: WebhookSink, breaches: string[]): Promise<Record<string, number>> {
  // Before the log is read: what comes later may be of an event that is written later.
  const first = sink.got();
  const ids = new Set<string>();
  for await (const { id } of allEvents<{ id: string }>(get)) ids.add(id);
  const missing = (): string[] => {
    const got = sink.got();
    return [...ids].filter((id) => !got.has(id));
  };
  await until('every event to be posted', () => missing().length === 0 || null, {
    deadlineMs: DEADLINE_MS,
    everyMs: 500,
  }).catch(() =>
    breaches.push(`${missing().length} of ${ids.size} events were never posted, for example ${missing()[0]}`),
  );
  const got = sink.got();
  const foreign = [...first.keys()].filter((id) => !ids.has(id));
  if (foreign.length > 0)
    breaches.push(`${foreign.length} posted events are not in the log, for example ${foreign[0]}`);
  const repeated = [...got.values()].filter((count) => count > 1).length;
  return { events: ids.size, events_posted_again: repeated };
}
