import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type CsvRecord, openCsv } from '../../src/cli/import/csv-reader.ts';
import { LONGEST_LINE } from '../../src/cli/import/lines.ts';
import { inspectSource } from '../../src/cli/import/source.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aldis-csv-'));
});
after(() => rm(folder, { recursive: true }));

async function read(content: string | Buffer) {
  const path = join(folder, 'file.csv');
  await writeFile(path, content);
  const source = await inspectSource(path);
  const { header, delimiter, records } = await openCsv(source);
  const rows: CsvRecord[] = [];
  for await (const record of records) rows.push(record);
  return { source, header, delimiter, rows };
}

/** Rows as `line: fields`, unreadable ones as `line! reason`. */
function shown(rows: readonly CsvRecord[]): string[] {
  return rows.map((row) =>
    row.kind === 'row' ? `${row.line}: ${row.fields.join(' / ')}` : `${row.line}! ${row.reason}`,
  );
}

test('a plain file', async () => {
  const { header, delimiter, rows } = await read('phone,name\n+628111,Ana\n+628112,Budi\n');
  assert.deepEqual(header, ['phone', 'name']);
  assert.equal(delimiter, ',');
  assert.deepEqual(shown(rows), ['2: +628111 / Ana', '3: +628112 / Budi']);
});

test('BOM, CRLF, blanks around names, empty lines, and a last line without an end', async () => {
  const { header, rows } = await read('\uFEFFphone , name\r\n\r\n+628111,Ana\r\n,\r\n  \r\n+628112,Budi');
  assert.deepEqual(header, ['phone', 'name']);
  assert.deepEqual(shown(rows), ['3: +628111 / Ana', '6: +628112 / Budi']);
});

test('line ends of old Macs', async () => {
  assert.deepEqual(shown((await read('phone,name\r+628111,Ana\r+628112,Budi')).rows), [
    '2: +628111 / Ana',
    '3: +628112 / Budi',
  ]);
});

test('a CRLF cut in two by the end of a chunk is one line end', async () => {
  const filler = 'x'.repeat(64 * 1024 - 'phone,name\r\n+628111,'.length - 1);
  const { rows } = await read(`phone,name\r\n+628111,${filler}\r\n+628112,Budi\r\n`);
  assert.deepEqual(
    rows.map((row) => row.line),
    [2, 3],
  );
});

test('quoted fields hold delimiters, quotes and line ends', async () => {
  const { rows } = await read(
    'phone,name\r\n+628111,"Ana, ""the"" first"\r\n+628112,"two\r\nlines"\r\n+628113,end\r\n',
  );
  assert.deepEqual(shown(rows), ['2: +628111 / Ana, "the" first', '3: +628112 / two\nlines', '5: +628113 / end']);
});

test('delimiters are found, also by the line that Excel writes', async () => {
  assert.equal((await read('phone;name\n+628111;Ana, Budi\n')).delimiter, ';');
  assert.equal((await read('phone\tname\n+628111\tAna\n')).delimiter, '\t');
  const excel = await read('sep=;\nphone;name\n+628111;Ana\n');
  assert.deepEqual(excel.header, ['phone', 'name']);
  assert.deepEqual(shown(excel.rows), ['3: +628111 / Ana']);
});

test('Latin-1 and UTF-16 are told from UTF-8', async () => {
  const latin = await read(Buffer.from('phone,name\n+628111,Jos\u00e9\n', 'latin1'));
  assert.equal(latin.source.encoding, 'windows-1252');
  assert.deepEqual(shown(latin.rows), ['2: +628111 / José']);
  const utf16 = await read(Buffer.from('\uFEFFphone\tname\r\n+628111\tJos\u00e9\r\n', 'utf16le'));
  assert.equal(utf16.source.encoding, 'utf-16le');
  assert.deepEqual(shown(utf16.rows), ['2: +628111 / José']);
  const utf8 = await read('phone,name\n+628111,José 👋\n');
  assert.equal(utf8.source.encoding, 'utf-8');
  assert.deepEqual(shown(utf8.rows), ['2: +628111 / José 👋']);
});

test('a quote that is never closed costs its own line and no other', async () => {
  const { rows } = await read('phone,name\n+628111,Ana\n+628112,"Budi\n+628113,Citra\n+628114,"Dewi, S."\n+628115,Eka');
  assert.deepEqual(
    rows.map((row) => `${row.line} ${row.kind}`),
    ['2 row', '3 unreadable', '4 row', '5 row', '6 row'],
  );
});

test('an unclosed quote in the last line is refused with its number', async () => {
  const { rows } = await read('phone,name\n+628111,Ana\n+628112,"Budi');
  assert.deepEqual(shown(rows), ['2: +628111 / Ana', '3! a quote is opened and never closed']);
});

test('an unclosed quote reaches no further than the limit, and what follows is read', async () => {
  const many = Array.from({ length: 9_000 }, (_, index) => `+62811${String(index).padStart(6, '0')},Ana`);
  const { rows } = await read(`phone,name\n+628112,"Budi\n${many.join('\n')}\n`);
  assert.equal(rows.length, 9_001);
  assert.match(shown(rows)[0] ?? '', /^2! a quote is opened and not closed within 65536 characters$/);
  assert.deepEqual(shown(rows).at(-1), '9002: +62811008999 / Ana');
});

test('stray quotes are refused with what to do', async () => {
  const { rows } = await read('phone,name\n+628111,5" pipe "x\n+628112,"Budi" S\n+628113,Citra\n');
  assert.deepEqual(shown(rows), [
    '2! a quote stands inside a field; put the whole field in quotes, and write the inner quote twice',
    '3! a closing quote is not followed by the end of its field; write a quote inside a quoted field twice',
    '4: +628113 / Citra',
  ]);
});

test('a row with other fields than the header is refused; empty ones at its end do not count', async () => {
  const { rows } = await read('phone,name\n+628111\n+628112,Budi,x\n+628113,Citra,,\n');
  assert.deepEqual(shown(rows), [
    '2! the row has 1 fields, the header has 2',
    '3! the row has 3 fields, the header has 2',
    '4: +628113 / Citra',
  ]);
});

test('a line that does not end is passed over without being held', async () => {
  const { rows } = await read(`phone,name\n+628111,${'x'.repeat(40 * LONGEST_LINE)}\n+628112,Budi\n`);
  assert.deepEqual(shown(rows), [`2! the line has more than ${LONGEST_LINE} characters`, '3: +628112 / Budi']);
});

test('a file without a usable header is refused', async () => {
  await assert.rejects(
    read('+6281234567890,Ana\n'),
    /line 1: "\+6281234567890" looks like data; the first line must name/,
  );
  await assert.rejects(read('phone,name,name\n'), /line 1: two columns are called "name"/);
  await assert.rejects(read('phone,"name\n'), /line 1: a quote is opened and never closed/);
  await assert.rejects(read(''), /is empty/);
  await assert.rejects(read('\r\n \n'), /is empty/);
  await assert.rejects(read('PK\x03\x04…'), /is a spreadsheet; export it as CSV first/);
});

test('the same content has the same hash, whatever the pieces it is read in', async () => {
  // More than a piece, for the hash and for the rows.
  const content = `phone,name\n${'+628111,é\n'.repeat(25_000)}`;
  const { source, rows } = await read(content);
  assert.equal(source.encoding, 'utf-8');
  assert.equal(source.lines, 25_001);
  assert.equal(rows.length, 25_000);
  assert.equal(source.sha256, (await read(content)).source.sha256);
});
