import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Customer, type DoorWorld, doorWorld } from '../http/door-world.ts';
import { type Ended, runAldis } from './run-aldis.ts';

/* `aldis message`, and the times of `aldis send`, against a real door. */
let world: DoorWorld;
let customer: Customer;
before(async () => {
  world = await doorWorld();
  customer = await world.customer();
});
after(() => world.close());

const aldis = (...args: string[]): Promise<Ended> =>
  runAldis(args, { ALDIS_URL: world.url, ALDIS_API_KEY: customer.key }).ended;
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();

async function scheduled(): Promise<string> {
  const sent = await aldis('send', '+6281234567890', 'Good morning', '--at', inDays(2));
  assert.equal(sent.code, 0, sent.stderr);
  return sent.stdout.split(' ')[0] ?? '';
}

test('a message is rescheduled, made due, and taken back', async () => {
  const id = await scheduled();
  const [at, expires] = [inDays(3), inDays(4)];
  const changed = await aldis('message', 'reschedule', id, '--at', at, '--expires', expires);
  assert.deepEqual(
    [changed.code, changed.stdout],
    [0, `${id} scheduled for ${at}, not after ${expires}\n`],
    changed.stderr,
  );
  const now = await aldis('message', 'reschedule', id, '--at', 'now', '--expires', 'none');
  assert.deepEqual([now.code, now.stdout], [0, `${id} may leave now\n`], now.stderr);
  const same = await aldis('message', 'reschedule', id, '--expires', 'none', '--json');
  const { scheduled_at, expires_at } = JSON.parse(same.stdout) as { scheduled_at: string; expires_at: null };
  assert.deepEqual([Date.parse(scheduled_at) <= Date.now(), expires_at], [true, null], same.stderr);

  const cancelled = await aldis('message', 'cancel', id);
  assert.deepEqual([cancelled.code, cancelled.stdout], [0, `${id} cancelled\n`], cancelled.stderr);
  const again = await aldis('message', 'cancel', id);
  assert.deepEqual([again.code, /not_cancellable/.test(again.stderr)], [4, true]);
  const past = await aldis('message', 'reschedule', await scheduled(), '--at', '2020-01-01T00:00:00Z');
  assert.deepEqual([past.code, /scheduled_at is in the past/.test(past.stderr)], [4, true]);
  const late = await aldis('message', 'reschedule', id, '--at', at);
  assert.deepEqual([late.code, /too_late/.test(late.stderr)], [4, true]);
});

test('what cannot be read is refused before the server is asked; an unknown id by the server', async () => {
  const refused: [string[], number, RegExp][] = [
    [['reschedule', 'x'], 2, /give --at, --expires, or both/],
    [['reschedule', 'x', '--at', 'tomorrow'], 2, /with a zone/],
    [['reschedule', 'x', '--at', 'none'], 2, /with a zone/],
    [['reschedule', 'x', '--expires', 'now'], 2, /with a zone/],
    [['reschedule'], 2, /missing required argument/],
    [['cancel'], 2, /missing required argument/],
    [['cancel', 'x/../y'], 4, /There is no message of that id/],
    [['reschedule', 'x', '--at', 'now'], 4, /There is no message of that id/],
  ];
  for (const [args, code, words] of refused) {
    const { code: ended, stderr } = await aldis('message', ...args);
    assert.deepEqual([ended, words.test(stderr)], [code, true], `${args.join(' ')}: ${stderr}`);
  }
});

test('send --ttl ends a message some seconds after it may leave', async () => {
  const sent = await aldis('send', '+6281234567890', 'x', '--at', inDays(1), '--ttl', '60', '--json');
  assert.equal(sent.code, 0, sent.stderr);
  const { id } = JSON.parse(sent.stdout) as { id: string };
  const { body } = await customer.get(`/api/v1/messages/${id}`);
  const { scheduled_at, expires_at } = body as unknown as Record<string, string>;
  assert.equal(Date.parse(expires_at ?? '') - Date.parse(scheduled_at ?? ''), 60_000);
  const both = await aldis('send', '+6281234567890', 'x', '--ttl', '60', '--expires', inDays(1));
  assert.deepEqual([both.code, /--ttl or --expires/.test(both.stderr)], [2, true]);
  assert.equal((await aldis('send', '+6281234567890', 'x', '--ttl', '0')).code, 2);
});
