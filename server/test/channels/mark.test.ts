import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { createMarker } from '../../src/channels/whatsapp/mark.ts';
import { type MessageId, newId } from '../../src/domain/ids.ts';

const marker = createMarker(randomBytes(32));

test('what was written is read, and fits into what Meta echoes', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 32_767 }),
      fc.integer({ min: 0, max: 8_640_000_000_000 }),
      (attempt, startedAt) => {
        const mark = { message: newId<MessageId>(), attempt, startedAt };
        const text = marker.write(mark);
        assert.ok(text.length <= 512);
        assert.deepEqual(marker.read(text), mark);
      },
    ),
  );
});

test('a mark with any character changed, of another key, or of no shape at all is none', () => {
  const mark = { message: newId<MessageId>(), attempt: 3, startedAt: 1_790_000_000_000 };
  const text = marker.write(mark);
  for (let i = 0; i < text.length; i++) {
    for (const other of ['0', 'z', 'A', '.', '-']) {
      if (text[i] === other) continue;
      assert.equal(marker.read(text.slice(0, i) + other + text.slice(i + 1)), null, `${i} ${other}`);
    }
  }
  assert.equal(createMarker(randomBytes(32)).read(text), null);
  for (const odd of ['', 'v1', `${text}x`, ` ${text}`, `${text}\n`, text.toUpperCase(), 'order 7', '\0', 'v1....']) {
    assert.equal(marker.read(odd), null, odd);
  }
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (odd) => assert.equal(marker.read(odd), null)));
});
