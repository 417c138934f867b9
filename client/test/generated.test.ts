import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { TAKES_KEY } from '../src/keyed-requests.ts';

const ROOT = join(import.meta.dirname, '../..');
const DOCUMENT = readFileSync(join(ROOT, 'docs/openapi.json'), 'utf8');

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

for (const file of ['api-types.ts', 'keyed-requests.ts']) {
  test(`client/src/${file} is made of docs/openapi.json as it is, and not changed by hand; if not: npm run generate`, () => {
    const [head = '', ...rest] = readFileSync(join(ROOT, 'client/src', file), 'utf8').split('\n\n');
    assert.match(head, new RegExp(`^// document ${hashOf(DOCUMENT)}$`, 'm'));
    assert.match(head, new RegExp(`^// text     ${hashOf(rest.join('\n\n'))}$`, 'm'));
  });
}

test('what takes an Idempotency-Key is known', () => {
  const { paths } = JSON.parse(DOCUMENT) as {
    paths: Record<string, Record<string, { parameters?: { name: string }[] }>>;
  };
  const named = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations)
      .filter(([, { parameters }]) => parameters?.some(({ name }) => name === 'idempotency-key'))
      .map(([method]) => `${method.toUpperCase()} ${path}`),
  );
  assert.deepEqual([...TAKES_KEY].sort(), named.sort());
  assert.ok(TAKES_KEY.has('POST /api/v1/messages'));
});
