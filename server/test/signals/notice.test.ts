import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type InstanceId, newId, type TenantId } from '../../src/domain/ids.ts';
import { EVERYTHING, headOf, type Notice, readNotice, writeNotice } from '../../src/signals/notice.ts';
import { createOutbox } from '../../src/signals/outbox.ts';
import type { Topic, Word } from '../../src/signals/signals.ts';

const FROM = newId<InstanceId>();
const TENANT = newId<TenantId>();
const word = (last_seen: number): Word => ({
  kind: 'presence',
  tenant: TENANT,
  user: 'anna',
  online: true,
  last_seen,
});

test('a notice is read as it was written, and begins with whose it is', () => {
  const notice: Notice = { id: newId(), from: FROM, topics: ['keys', EVERYTHING], words: [word(1)] };
  const text = writeNotice(notice);
  assert.ok(text.startsWith(headOf(FROM)));
  assert.deepEqual(readNotice(text), notice);
});

test('what others write to the same channel is no notice, and does no harm', () => {
  const id = newId();
  for (const text of [
    '',
    'x',
    'null',
    '[]',
    '7',
    '{}',
    JSON.stringify({ i: id, f: FROM, t: 'keys', w: [] }),
    JSON.stringify({ i: id, f: FROM, t: [1], w: [] }),
    JSON.stringify({ i: id, f: FROM, t: [], w: [null] }),
    JSON.stringify({ i: id, f: FROM, t: [], w: [{}] }),
    JSON.stringify({ i: 'x', f: FROM, t: [], w: [] }),
    JSON.stringify({ i: id, f: 7, t: [], w: [] }),
    JSON.stringify({ i: id, t: [], w: [] }),
  ]) {
    assert.equal(readNotice(text), null, text);
  }
});

test('an outbox holds each topic once, all of them when there are too many, and the latest words', () => {
  const outbox = createOutbox({ topics: 3, words: 4 });
  assert.equal(outbox.isEmpty, true);
  for (let i = 0; i < 5; i++) for (const topic of ['keys', 'apps', 'media'] as const) outbox.notify(topic);
  assert.deepEqual(outbox.take(newId(), FROM).topics, ['keys', 'apps', 'media']);
  for (let i = 0; i < 1000; i++) outbox.notify(`due:${i}` satisfies Topic);
  for (let i = 0; i < 1003; i++) outbox.say(word(i));
  const { topics, words } = outbox.take(newId(), FROM);
  assert.deepEqual(topics, [EVERYTHING]);
  assert.deepEqual(
    words.map((one) => one.kind === 'presence' && one.last_seen),
    [999, 1000, 1001, 1002],
  );
  assert.equal(outbox.forgotten, 999);
  assert.equal(outbox.isEmpty, true);
});

test('what could not go is put back beside what came since, without its words', () => {
  const outbox = createOutbox({ topics: 3, words: 4 });
  outbox.notify('keys');
  outbox.say(word(1));
  const notice = outbox.take(newId(), FROM);
  outbox.notify('apps');
  outbox.putBack(notice);
  const again = outbox.take(newId(), FROM);
  assert.deepEqual([[...again.topics].sort(), again.words], [['apps', 'keys'], []]);
});
