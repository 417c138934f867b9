import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { hmacSha256 } from '../../src/channels/whatsapp/hmac.ts';

test('it is HMAC-SHA256, for any key and any data', () => {
  const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));
  fc.assert(
    fc.property(bytes(200), fc.array(fc.oneof(bytes(300), fc.string({ unit: 'grapheme' }))), (key, all) => {
      const mac = hmacSha256(key);
      for (const data of all) assert.equal(mac(data, 'hex'), createHmac('sha256', key).update(data).digest('hex'));
    }),
  );
});

test('long data is no exception', () => {
  const key = randomBytes(32);
  const mac = hmacSha256(key);
  for (const length of [16_383, 16_384, 16_385, 100_000]) {
    const data = randomBytes(length);
    assert.equal(mac(data, 'hex'), createHmac('sha256', key).update(data).digest('hex'));
    assert.equal(mac('short', 'base64url'), createHmac('sha256', key).update('short').digest('base64url'));
  }
});
