import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { jsonText } from '../../src/domain/json-text.ts';
import { type TestDatabase, testDatabase } from '../database.ts';

let database: TestDatabase;

before(async () => {
  database = await testDatabase({ migrated: false });
});

after(() => database.drop());

/** Stores a value as jsonb and reads it back. */
async function stored(text: string): Promise<unknown> {
  const rows = await database.db.query<{ value: unknown }>({ name: 'echo', text: 'select $1::jsonb as value' }, [text]);
  return rows[0]?.value;
}

test('what jsonb cannot hold becomes U+FFFD, in keys too; all else is as JSON.stringify writes it', async () => {
  const kept = { plain: 'ä€😀', escaped: '\\u0000 \\ud800', list: [1, null, true, '\t'] };
  assert.equal(jsonText(kept), JSON.stringify(kept));
  const odd = { nul: 'a\0b', half: ['\ud83d', 'x\udc00y'], deep: { 'k\0ey': { 'h\ud800': 1 } }, pair: '😀' };
  assert.deepEqual(JSON.parse(jsonText(odd)), {
    nul: 'a\ufffdb',
    half: ['\ufffd', 'x\ufffdy'],
    deep: { 'k\ufffdey': { 'h\ufffd': 1 } },
    pair: '😀',
  });
});

test('anything that JSON can say can be stored', async () => {
  const text = fc.string({ unit: fc.constantFrom('a', '\0', '\ud800', '\udc00', '😀', '\\', 'u0000', '"') });
  const value = fc.dictionary(text, fc.jsonValue({ stringUnit: 'binary' }), { maxKeys: 4 });
  await fc.assert(
    fc.asyncProperty(value, async (one) => {
      const written = jsonText(one);
      assert.deepEqual(await stored(written), JSON.parse(written));
    }),
    { numRuns: 60 },
  );
});
