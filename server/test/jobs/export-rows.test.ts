import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { exportFilename, exportPercent, nextExportTry } from '../../src/domain/export.ts';
import { rowWriter } from '../../src/jobs/export-rows.ts';

const COLUMNS = ['id', 'text', 'at', 'more', 'n'];

test('a CSV file has a head, texts as they are, times in ISO 8601 and JSON as its text', () => {
  const { head, write } = rowWriter('csv', COLUMNS, false);
  const at = new Date('2026-12-01T10:00:00.123Z');
  const text = 'Hello, "world"\nsecond line; üñí 🙂';
  const rows = [
    { id: 'a', text, at, more: { list: [1, 'x'] }, n: 7, unknown: 'never shown' },
    { id: 'b', text: null, at: null, more: null },
  ];
  assert.equal(head, 'id,text,at,more,n\n');
  assert.deepEqual(parse(head + write(rows), { columns: true }), [
    { id: 'a', text, at: '2026-12-01T10:00:00.123Z', more: '{"list":[1,"x"]}', n: '7' },
    { id: 'b', text: '', at: '', more: '', n: '' },
  ]);
  assert.equal(write([]), '');
});

test('what a spreadsheet would take for a formula gets an apostrophe', () => {
  const { write } = rowWriter('csv', ['cell'], false);
  const cells = (texts: string[]) => parse(write(texts.map((cell) => ({ cell })))).map(([cell]) => cell);
  const dangerous = ['=HYPERLINK("http://evil.example")', '+62812', '-1+1', '@SUM(A1)', '\t=1', '\r=1', '＝1'];
  assert.deepEqual(
    cells(dangerous),
    dangerous.map((text) => `'${text}`),
  );
  const harmless = ['1=1', 'a+b', ' text', "'quoted", '{"a":"=1"}'];
  assert.deepEqual(cells(harmless), harmless);
});

test('behind a semicolon, where other spreadsheets begin a cell, nothing is a formula either', () => {
  const { write } = rowWriter('csv', ['name', 'content'], false);
  const text = 'Hi;=1+1;@SUM(A1);-2\n+3;＝4; =no;;=';
  const written = write([{ name: 'Ana;=1+1\n=2;-)', content: { text } }]);
  // As a spreadsheet parts it that knows no commas: whoever writes the text gets no cell that begins with a sign of formulas.
  for (const cell of written.split(/[;\n\t]/)) assert.doesNotMatch(cell, /^[=+\-@＝＋－＠]/u, cell);
  const [[name, content] = []] = parse(written);
  assert.equal(name, "Ana;'=1+1\n'=2;'-)");
  assert.deepEqual(JSON.parse(content ?? ''), { text });
});

test('a byte order mark comes once, before everything, and only where it is asked for', () => {
  assert.equal(rowWriter('csv', ['a'], true).head, '\ufeffa\n');
  assert.equal(rowWriter('jsonl', ['a'], true).head, '');
});

test('JSON Lines are the records, a line each', () => {
  const { head, write } = rowWriter('jsonl', ['id', 'text', 'phone'], false);
  const rows = [{ id: 'a', text: 'two\nlines', phone: '+62812' }, { id: 'b' }];
  assert.equal(head, '');
  const lines = write(rows.map((row) => ({ ...row, inner: 'never shown' }))).split('\n');
  assert.equal(lines.pop(), '');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    rows,
  );
});

test('the percentage is 100 for a complete export and for nothing else', () => {
  assert.equal(exportPercent('running', 5, 10), 50);
  assert.equal(exportPercent('running', 20, 10), 99);
  assert.equal(exportPercent('queued', 0, 0), 0);
  assert.equal(exportPercent('running', 5, null), null);
  assert.equal(exportPercent('complete', 5, null), 100);
});

test('tries go on ever more rarely, ten of them', () => {
  const delays = Array.from({ length: 11 }, (_, i) => nextExportTry(i + 1));
  assert.deepEqual(delays, [2000, 4000, 8000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000, null, null]);
});

test('a file is called after its list and its day', () => {
  assert.equal(exportFilename('contacts', 'jsonl', new Date('2026-12-01T23:59:59Z')), 'contacts-2026-12-01.jsonl');
});
