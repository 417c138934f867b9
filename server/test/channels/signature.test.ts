import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { hmacSha256 } from '../../src/channels/whatsapp/hmac.ts';
import { isSameSecret, isSignedBy } from '../../src/channels/whatsapp/signature.ts';
import { createVerifier } from '../../src/channels/whatsapp/webhook-verifier.ts';

const secret = 'the secret of the app';
const mac = hmacSha256(secret);
// Meta escapes non-ASCII its own way and signs that: the bytes count, not what they mean.
const body = Buffer.from('{"text": "caf\\u00e9 \\/ ä"}');
const hex = createHmac('sha256', secret).update(body).digest('hex');

test('the signature is over the raw bytes, in hex of either case', () => {
  assert.equal(isSignedBy(mac, body, `sha256=${hex}`), true);
  assert.equal(isSignedBy(mac, body, `sha256=${hex.toUpperCase()}`), true);
  assert.equal(isSignedBy(mac, Buffer.from(JSON.stringify(JSON.parse(body.toString()))), `sha256=${hex}`), false);
  assert.equal(isSignedBy(hmacSha256('another secret'), body, `sha256=${hex}`), false);
});

test('a header of any other shape is no signature', () => {
  const flipped = `${hex.startsWith('0') ? '1' : '0'}${hex.slice(1)}`;
  const headers = [
    undefined,
    '',
    hex,
    `sha1=${hex}`,
    `SHA256=${hex}`,
    `sha256=${flipped}`,
    `sha256=${hex.slice(1)}`,
    `sha256=${hex}0`,
    `sha256=${'g'.repeat(64)}`,
    `sha256=${hex.slice(0, 62)}zz`,
    `sha256=${'0'.repeat(64)}`,
  ];
  for (const header of headers) assert.equal(isSignedBy(mac, body, header), false, String(header));
});

test('secrets of any length are compared', () => {
  assert.equal(isSameSecret('a', 'a'), true);
  assert.equal(isSameSecret('a', 'ab'), false);
  assert.equal(isSameSecret('', 'ab'), false);
});

test('the challenge is given to who asks with the token, and to nobody else', () => {
  const verifier = createVerifier((app) =>
    app === 'default' ? { appSecret: secret, verifyToken: 'token' } : undefined,
  );
  const asked = { 'hub.mode': 'subscribe', 'hub.verify_token': 'token', 'hub.challenge': '1158201444' };
  assert.equal(verifier.challenge('default', asked), '1158201444');
  assert.equal(verifier.challenge('other', asked), null);
  for (const key of Object.keys(asked))
    assert.equal(verifier.challenge('default', { ...asked, [key]: 'wrong'.repeat(99) }), null);
  assert.equal(verifier.verify('other', body, `sha256=${hex}`), 'unknown_app');
  assert.equal(verifier.verify('default', body, `sha256=${hex}`), 'valid');
  assert.equal(verifier.verify('default', body, undefined), 'invalid');
});
