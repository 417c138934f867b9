import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { PATTERN_WORDS } from '../../src/http/patterns.ts';
import { validationError } from '../../src/http/validation.ts';

test('every pattern of the API is told in words', async () => {
  const document: unknown = JSON.parse(await readFile(new URL('../../../docs/openapi.json', import.meta.url), 'utf8'));
  const patterns = new Set<string>();
  const walk = (part: unknown) => {
    if (typeof part !== 'object' || part === null) return;
    if ('pattern' in part && typeof part.pattern === 'string') patterns.add(part.pattern);
    for (const inner of Object.values(part)) walk(inner);
  };
  walk(document);
  assert.ok(patterns.size > 10);
  assert.deepEqual(
    [...patterns].filter((pattern) => PATTERN_WORDS[pattern] === undefined),
    [],
  );
});

test('what a pattern refuses, and a change of nothing, are told in words', () => {
  const name = { instancePath: '/name', keyword: 'pattern', params: { pattern: '^[a-z0-9_]{1,512}$' } };
  assert.equal(validationError(name, 'body').message, 'name must be 1 to 512 small letters, digits and _.');
  const own = {
    instancePath: '/x',
    keyword: 'pattern',
    params: { pattern: '^q$' },
    message: 'must match pattern "^q$"',
  };
  assert.equal(validationError(own, 'body').message, 'x must match pattern "^q$".');
  const none = { instancePath: '', keyword: 'minProperties', params: { limit: 1 } };
  assert.equal(validationError(none, 'body').message, 'body must have at least one field.');
});
