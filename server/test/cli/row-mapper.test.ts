import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkCountry } from '../../src/cli/address.ts';
import { chunksOf } from '../../src/cli/import/chunks.ts';
import type { CsvRecord } from '../../src/cli/import/csv-reader.ts';
import { FirstLines } from '../../src/cli/import/first-lines.ts';
import { createRowMapper, type MapperOptions } from '../../src/cli/import/row-mapper.ts';
import { type MessageOptions, messageShape } from '../../src/cli/message-options.ts';

interface Given extends Partial<Omit<MapperOptions, 'shape'>> {
  text?: string | null;
  options?: MessageOptions;
}

function mapper({ text = 'Hello {name}', options = {}, ...rest }: Given = {}) {
  return createRowMapper({
    header: ['phone', 'name', 'Order No'],
    phoneColumn: null,
    shape: messageShape(text, options),
    constants: options.var ?? new Map(),
    defaultCountry: checkCountry('ID'),
    allowDuplicates: false,
    importId: 'f00d',
    ...rest,
  });
}

function row(line: number, ...fields: string[]): CsvRecord {
  return { kind: 'row', line, fields };
}

test('a row becomes a request: the number normalised, the variables that the text names, the line it came from', () => {
  assert.deepEqual(mapper()(row(2, '0812-3456-7890', ' Ana ', 'A17')), {
    kind: 'message',
    line: 2,
    fields: ['0812-3456-7890', ' Ana ', 'A17'],
    body: {
      to: '+6281234567890',
      content: { text: 'Hello {name}' },
      variables: { name: 'Ana' },
      metadata: { import: 'f00d', line: 2 },
    },
  });
});

test('the apostrophe that keeps a cell from being a formula is no part of it', () => {
  const mapped = mapper()(row(2, "'+6281234567890", "'=1+1", "'s"));
  assert.ok(mapped.kind === 'message');
  assert.deepEqual([mapped.body.to, mapped.body.variables], ['+6281234567890', { name: '=1+1' }]);
  const other = mapper()(row(3, '+6281234567891', "'t Hooft", ''));
  assert.deepEqual(other.kind === 'message' && other.body.variables, { name: "'t Hooft" });
});

test('columns are found whatever their case, and spaces count as underscores', () => {
  const map = mapper({ header: ['Recipient Phone', 'NAME', 'Order No'], text: '{name}: {order_no}' });
  const mapped = map(row(2, '081234567890', 'Ana', 'A17'));
  assert.equal(mapped.kind, 'message');
  assert.deepEqual(mapped.kind === 'message' && mapped.body.variables, { name: 'Ana', order_no: 'A17' });
});

test('a template is filled in by row', () => {
  const map = mapper({ text: null, options: { template: 'shipped', language: 'id', params: ['name', 'order_no'] } });
  const mapped = map(row(2, '081234567890', 'Ana', 'A17'));
  const parameters = [
    { type: 'text', text: 'Ana' },
    { type: 'text', text: 'A17' },
  ];
  assert.deepEqual(mapped.kind === 'message' && mapped.body, {
    to: '+6281234567890',
    template: { name: 'shipped', language: 'id', components: [{ type: 'body', parameters }] },
    metadata: { import: 'f00d', line: 2 },
  });
  const refused = map(row(3, '081234567891', 'Ana', ''));
  assert.equal(
    refused.kind === 'refused' && `${refused.error}: ${refused.reason}`,
    'missing_variables: no value for {order_no}',
  );
});

test('components are taken as they stand, with names filled in at any depth', () => {
  const components = [
    { type: 'header', parameters: [{ type: 'image', image: { link: 'https://x.example/{name}.png' } }] },
  ];
  const mapped = mapper({ text: null, options: { template: 'shipped', components } })(
    row(2, '+6281234567890', '$&', ''),
  );
  assert.deepEqual(mapped.kind === 'message' && mapped.body.template, {
    name: 'shipped',
    language: 'en',
    components: [{ type: 'header', parameters: [{ type: 'image', image: { link: 'https://x.example/$&.png' } }] }],
  });
});

test('an empty cell takes the value that is given for all; without one the server decides', () => {
  const given = mapper({ options: { var: new Map([['name', 'friend']]) } })(row(2, '081234567890', '  ', ''));
  assert.deepEqual(given.kind === 'message' && given.body.variables, { name: 'friend' });
  const none = mapper()(row(2, '081234567890', '', ''));
  assert.equal(none.kind === 'message' && 'variables' in none.body, false);
});

test('a number that stood before is refused, however it is written, unless that is allowed', () => {
  const map = mapper();
  assert.equal(map(row(2, '081234567890', 'Ana', '')).kind, 'message');
  const again = map(row(9, '+62 812 3456 7890', 'Ana', ''));
  assert.equal(again.kind === 'refused' && again.reason, '+6281234567890 stands in line 2 already');
  const lenient = mapper({ allowDuplicates: true });
  assert.equal(lenient(row(2, '081234567890', 'Ana', '')).kind, 'message');
  assert.equal(lenient(row(3, '081234567890', 'Ana', '')).kind, 'message');
});

test('a row refused for another reason does not make the next one a duplicate', () => {
  const map = mapper({ text: null, options: { template: 'hi', params: ['name'] } });
  assert.equal(map(row(2, '081234567890', '', '')).kind, 'refused');
  assert.equal(map(row(3, '081234567890', 'Ana', '')).kind, 'message');
});

test('columns that do not fit the message are told before anything is sent', () => {
  assert.throws(
    () => mapper({ text: 'Hello {nmae}' }),
    /uses \{nmae\}, which is no column; there are: phone, name, Order No/,
  );
  assert.throws(() => mapper({ header: ['nomor', 'name'] }), /no column is called phone, to or recipient_phone/);
  assert.throws(() => mapper({ header: ['phone', 'to', 'name'] }), /several columns could be the addressee/);
  assert.throws(() => mapper({ phoneColumn: 'mobile' }), /--phone-column mobile: there is no such column/);
  assert.throws(() => mapper({ text: '{constructor}' }), /uses \{constructor\}/);
});

test('chunks are places in the file: a refused row takes its place too', async () => {
  const records = [row(2, 'x', 'Ana', ''), row(3, '081234567890', 'Ana', ''), row(4, '081234567891', 'Budi', '')];
  const chunks = await Array.fromAsync(chunksOf(iterate(records), mapper(), 2));
  assert.deepEqual(
    chunks.map((chunk) => [chunk.index, chunk.rows.length, chunk.refused.length, chunk.lastLine]),
    [
      [0, 1, 1, 3],
      [1, 1, 0, 4],
    ],
  );
});

test('first lines are remembered for a great many addressees', () => {
  const lines = new FirstLines();
  const count = 300_000;
  for (let n = 0; n < count; n++) assert.equal(lines.seenBefore(`+62812${1_000_000 + n}`, n + 2), null);
  for (let n = 0; n < count; n += 997) assert.equal(lines.seenBefore(`+62812${1_000_000 + n}`, 999), n + 2);
  assert.equal(lines.seenBefore('+999999999999999', 5), null);
  assert.equal(lines.seenBefore('+999999999999998', 6), null);
  assert.equal(lines.seenBefore('+999999999999999', 7), 5);
  assert.equal(lines.seenBefore('ID.1A2b3C', 8), null);
  assert.equal(lines.seenBefore('ID.1A2b3C', 9), 8);
});

async function* iterate<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values;
}
