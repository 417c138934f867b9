import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { State } from '../../src/domain/message.ts';
import { type StateCount, statisticsOf } from '../../src/domain/statistics.ts';

const out = (state: State, n: number, type = 'text'): StateCount => ({ direction: 'outbound', type, state, n });

test('the rates are of what has left', () => {
  const { delivery_rate, read_rate, total, by_status } = statisticsOf([
    out('queued', 100),
    out('cancelled', 50),
    out('expired', 50),
    out('sent', 1),
    out('delivered', 3),
    out('read', 1),
    out('played', 1, 'audio'),
    out('failed', 1),
    { direction: 'inbound', type: 'text', state: 'read', n: 1000 },
  ]);
  assert.deepEqual([delivery_rate, read_rate, total], [0.7143, 0.4, 1207]);
  assert.deepEqual(by_status, { queued: 100, sent: 1, delivered: 3, read: 1002, failed: 101 });
});

test('a type of which all messages are gone is not named', () => {
  assert.deepEqual(statisticsOf([out('sent', 2, 'image'), out('sent', 0)]).by_type, { image: 2 });
});

test('none of nothing is no rate', () => {
  assert.deepEqual([statisticsOf([]).delivery_rate, statisticsOf([out('failed', 2)]).read_rate], [null, null]);
  assert.equal(statisticsOf([out('failed', 2)]).delivery_rate, 0);
});
