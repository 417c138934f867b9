import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fingerprint, type LoggedEvent } from '../drills/stream-log.ts';
import { compareNotices, timeOf } from '../drills/stream-notices.ts';
import { compareTopics, topicLedger } from '../drills/stream-topics.ts';

// What the drill `stream` must notice. What it must not complain of, the drill itself shows.

const at = (ms: number, n: number): string =>
  `${ms.toString(16).padStart(12, '0')}-7000-8000-${String(n).padStart(12, '0')}`.replace(/^(.{8})/, '$1-');

let made = 0;

function event(change: Partial<LoggedEvent> = {}): LoggedEvent {
  const n = ++made;
  return {
    ...{ id: at(1000 + n, n), type: 'chat.created', cursor: `c${n}`, prev: `c${n - 1}` },
    ...{ conversation: 'talk', message: at(1000 + n, 0), author: 'ann', user: null, digest: fingerprint({ n }) },
    ...change,
  };
}

const chat = (n: number): LoggedEvent[] => Array.from({ length: n }, () => event());

/** As the product would publish it. */
function recordOf({ id, type, cursor, prev, conversation, user }: LoggedEvent, change: Record<string, unknown> = {}) {
  const n = Number(cursor.slice(1));
  const value = JSON.stringify({ specversion: '1.0', id, type, cursor, prev, data: { n }, ...change });
  return { topic: user ? 'notifications' : 'aldis.chat', partition: 0, key: user ?? conversation ?? '', value };
}

function told(log: readonly LoggedEvent[], records: readonly ReturnType<typeof recordOf>[], later = 0): string[] {
  const ledger = topicLedger();
  for (const record of records) ledger.take(record);
  return compareTopics(log.slice(0, log.length - later), log.slice(log.length - later), ledger);
}

test('topics that have the log, some of it twice, are as they should be', () => {
  const log = [...chat(4), event({ type: 'notification.offline', user: 'ben' })];
  const records = log.map((one) => recordOf(one));
  assert.deepEqual(told(log, [...records.slice(0, 3), ...records.slice(1)]), []);
  assert.deepEqual(told(log, records.slice(0, 4), 1), [], 'what was written later may be missing');
});

test('whatever topics have otherwise than the log is told', () => {
  const log = chat(4);
  const records = log.map((one) => recordOf(one));
  const with3 = (change: object) => records.map((record, i) => (i === 2 ? { ...record, ...change } : record));
  const third = log[2] as LoggedEvent;
  const foreign = recordOf(event());
  const cases: [RegExp, ReturnType<typeof recordOf>[]][] = [
    [/1 of 4 events are in no topic/, records.filter((_, i) => i !== 2)],
    [/are in a topic and not in the log/, [...records, foreign]],
    [/are in a wrong topic/, with3({ topic: 'aldis.message' })],
    [/have a wrong key/, with3({ key: 'another' })],
    [/are not in the partition of their key/, with3({ partition: 1 })],
    [/are not in the order of the log/, [0, 2, 1, 3].map((i) => records[i] as (typeof records)[0])],
    [/are told otherwise/, with3(recordOf(third, { data: { n: 'another' } }))],
    [/are told otherwise/, with3(recordOf(third, { type: 'chat.edited' }))],
    [/do not follow the event before them/, with3(recordOf(third, { prev: 'c0' }))],
    [/no CloudEvent/, [...records, { ...foreign, value: 'text' }]],
    [/no CloudEvent/, [...records, { ...foreign, value: '{"specversion": "1.0", "id": 1, "data": {}}' }]],
  ];
  for (const [breach, some] of cases) {
    const breaches = told(log, some);
    assert.equal(breaches.length, 1, `${breach}: ${breaches.join('; ')}`);
    assert.match(breaches[0] ?? '', breach);
  }
});

test('data is the same whatever the order of its fields, and only then', () => {
  const one = fingerprint({ a: 1, b: [{ c: null, d: 'x' }] });
  assert.equal(fingerprint({ b: [{ d: 'x', c: null }], a: 1 }), one);
  assert.notEqual(fingerprint({ b: [{ d: 'x' }], a: 1 }), one);
});

test('notifications are held against who was away', () => {
  const said = event({ id: at(5000, 1), message: at(5000, 2) });
  const notice = (user: string, ms = 11_000) =>
    event({ type: 'notification.offline', id: at(ms, ++made), message: said.message, user });
  const away = new Map([['talk', ['away', 'ann']]]);
  const spans = new Map([
    [
      'ben',
      [
        { from: 0, to: 4000 },
        { from: 5100, to: Number.POSITIVE_INFINITY },
      ],
    ],
    ['cay', [{ from: 4000, to: 12_000 }]],
  ]);
  const reachable = { away, spans, outages: [] };
  const good = [said, notice('away'), notice('ben')];
  assert.deepEqual(compareNotices(good, reachable), [], 'ben was away for a moment; ann has said it herself');
  const only = (log: readonly LoggedEvent[], outages: { from: number; to: number }[] = []) =>
    compareNotices(log, { ...reachable, outages }).join('; ');
  assert.match(only([said]), /^1 notifications are missing: away of \S+$/);
  assert.match(only([...good, notice('away')]), /^1 notifications came twice: away of \S+$/);
  assert.match(only([...good, notice('ann')]), /^1 notifications are for the author/);
  assert.match(
    only([...good, notice('cay')]),
    /^1 notifications are for a user whose device was connected all the while/,
  );
  assert.equal(only([...good, notice('cay', 12_001)]), '');
  assert.equal(
    only([...good, notice('cay')], [{ from: 6000, to: 7000 }]),
    '',
    'nobody was there while the database was away',
  );
});

test('the time of an id is what it was made with', () => {
  assert.equal(timeOf('019ff6a1-8c3a-7000-8000-000000000000'), 0x019ff6a18c3a);
});
