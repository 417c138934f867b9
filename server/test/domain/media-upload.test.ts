import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isGoodUpload, isLostUpload, UPLOAD_VALIDITY } from '../../src/domain/media-upload.ts';
import type { Outcome } from '../../src/domain/outcome.ts';

test('an id of the provider is good until shortly before it expires; for a retry only a fresh one is', () => {
  const upload = { uploadedAt: 0, expiresAt: UPLOAD_VALIDITY };
  const minute = 60_000;
  assert.equal(isGoodUpload(upload, 1, UPLOAD_VALIDITY - 1), true);
  assert.equal(isGoodUpload(upload, 1, UPLOAD_VALIDITY), false);
  // The provider may have told by webhook that it could not use it.
  assert.equal(isGoodUpload(upload, 2, 9 * minute), true);
  assert.equal(isGoodUpload(upload, 2, 10 * minute), false);
  assert.ok(UPLOAD_VALIDITY < 30 * 86_400_000);
});

test('which errors are of a file that the provider has lost', () => {
  const error = (code: number, title: string, detail: string | null = null): Outcome => ({
    kind: 'error',
    code,
    title,
    detail,
    retryAfter: null,
  });
  assert.equal(isLostUpload(error(131053, 'Media upload error')), true);
  assert.equal(isLostUpload(error(131052, 'Media download error')), true);
  assert.equal(isLostUpload(error(100, 'Invalid parameter', 'Media ID not found')), true);
  assert.equal(isLostUpload(error(131009, 'Parameter value is not valid', 'the media attachment')), true);
  assert.equal(isLostUpload(error(100, 'Invalid parameter', 'text.body is required')), false);
  assert.equal(isLostUpload(error(131016, 'Service overloaded')), false);
  assert.equal(isLostUpload({ kind: 'unknown', detail: 'media' }), false);
});
