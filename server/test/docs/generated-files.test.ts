import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { providerCodesPage } from '../../src/cli/provider-codes-page.ts';
import { ERRORS } from '../../src/domain/errors.ts';
import { errorsDocument, openapiDocument } from '../../src/http/documents.ts';

/* The settings' and metrics' pages and schema.sql are held by tests of their own, beside those of what they are made of. */

function committed(path: string): string {
  return readFileSync(join(import.meta.dirname, '../../..', path), 'utf8');
}

test('docs/errors.md is the table of errors; if not: npm run generate', () => {
  assert.equal(committed('docs/errors.md'), errorsDocument());
});

test('every code that the page of errors names is in the table, and the other way round', () => {
  const named = [...committed('docs/errors.md').matchAll(/^\| `(\w+)` \|/gm)].map(([, code]) => code);
  assert.deepEqual(named, Object.keys(ERRORS));
});

test('docs/openapi.json is what the schemas say that validate; if not: npm run generate', async () => {
  assert.equal(committed('docs/openapi.json'), await openapiDocument());
});

test('docs/provider-codes.md is the table of the provider; if not: npm run generate', () => {
  assert.equal(committed('docs/provider-codes.md'), providerCodesPage());
});
