import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { bigints, byteas, doubles, integers, jsons, smallints, texts, times, uuids } from '../../src/db/arrays.ts';
import { type TestDatabase, testDatabase } from '../database.ts';

// Columns go to the database in its own binary form: whatever a column may hold must be the same there.

let database: TestDatabase;

before(async () => {
  database = await testDatabase({ migrated: false });
});

after(() => database.drop());

/** What the database makes of an array, each element as it shows it. */
async function shown(type: string, array: Buffer): Promise<(string | null)[]> {
  const text = `select coalesce(array_agg(e::text order by n), '{}') as shown from unnest($1::${type}[]) with ordinality as u(e, n)`;
  const rows = await database.db.query<{ shown: (string | null)[] }>({ name: `shown ${type}`, text }, [array]);
  return rows[0]?.shown ?? [];
}

const string = fc
  .string({ unit: 'grapheme', maxLength: 30 })
  .filter((text) => text.isWellFormed() && !text.includes('\0'));
const nullable = <Value>(value: fc.Arbitrary<Value>) => fc.array(fc.option(value), { maxLength: 8 });

test('texts, of any alphabet', async () => {
  await fc.assert(
    fc.asyncProperty(nullable(string), async (values) => {
      assert.deepEqual(
        await shown(
          'text',
          texts(values, (value) => value),
        ),
        values,
      );
    }),
    { numRuns: 40 },
  );
});

test('numbers, to the ends of their ranges', async () => {
  const cases: [type: string, write: typeof integers, least: number, most: number][] = [
    ['smallint', smallints, -(2 ** 15), 2 ** 15 - 1],
    ['int', integers, -(2 ** 31), 2 ** 31 - 1],
    ['bigint', bigints, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  ];
  for (const [type, write, min, max] of cases) {
    await fc.assert(
      fc.asyncProperty(nullable(fc.integer({ min, max })), async (values) => {
        const expected = values.map((value) => (value === null ? null : String(value)));
        assert.deepEqual(
          await shown(
            type,
            write(values, (value) => value),
          ),
          expected,
        );
      }),
      { numRuns: 20, examples: [[[min, max, 0, null, -1]]] },
    );
  }
  const odd = [0.1, -1e300, 5e-324, null];
  assert.deepEqual(
    (
      await shown(
        'float8',
        doubles(odd, (value) => value),
      )
    ).map((text) => text && Number(text)),
    odd,
  );
});

test('times, to the millisecond, before and after 2000', async () => {
  const years = { min: new Date('1970-01-01T00:00:00Z'), max: new Date('2254-01-01T00:00:00Z'), noInvalidDate: true };
  await fc.assert(
    fc.asyncProperty(nullable(fc.date(years)), async (values) => {
      const found = await shown(
        'timestamptz',
        times(values, (value) => value?.getTime() ?? null),
      );
      assert.deepEqual(
        found.map((text) => text && new Date(text.replace(' ', 'T').replace(/\+00$/, 'Z')).getTime()),
        values.map((value) => value?.getTime() ?? null),
      );
    }),
    { numRuns: 40 },
  );
});

test('ids, bytes and JSON', async () => {
  await fc.assert(
    fc.asyncProperty(
      nullable(fc.uuid()),
      nullable(fc.uint8Array({ maxLength: 20 })),
      nullable(fc.jsonValue()),
      async (ids, bytes, values) => {
        assert.deepEqual(
          await shown(
            'uuid',
            uuids(ids, (id) => id),
          ),
          ids,
        );
        const hex = bytes.map((one) => one && `\\x${Buffer.from(one).toString('hex')}`);
        assert.deepEqual(
          await shown(
            'bytea',
            byteas(bytes, (one) => one),
          ),
          hex,
        );
        const written = values.map((value) => (value === null ? null : JSON.stringify(value)));
        const found = await shown(
          'jsonb',
          jsons(written, (text) => text),
        );
        assert.deepEqual(
          found.map((text) => text && JSON.parse(text)),
          written.map((text) => text && JSON.parse(text)),
        );
      },
    ),
    { numRuns: 40 },
  );
});

test('a number that its column cannot hold is an error here, not another number there', () => {
  assert.throws(() => smallints([2 ** 15], (value) => value), RangeError);
  assert.throws(() => integers([2 ** 31], (value) => value), RangeError);
});
