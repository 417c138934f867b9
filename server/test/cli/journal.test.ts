import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readFile, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openJournal } from '../../src/cli/import/journal.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aldis-journal-'));
});
after(() => rm(folder, { recursive: true }));

const first = { batchId: 'b0', accepted: 2, refused: [{ line: 3, error: 'invalid_phone', reason: 'why' }] };
const second = { batchId: null, accepted: 0, refused: [] };

test('what was answered is known to the next run, with its results', async () => {
  const path = join(folder, 'next.jsonl');
  const journal = await openJournal(path, 'run');
  assert.equal(journal.done, 0);
  await journal.asking(0);
  await journal.answered(0, first);
  await journal.answered(1, second);
  await journal.close();

  const again = await openJournal(path, 'run');
  assert.equal(again.done, 2);
  assert.equal(again.askedAt, null);
  assert.deepEqual(await Array.fromAsync(again.results()), [first, second]);
  await again.close();
});

test('a chunk that was asked for and not answered is in doubt since then', async () => {
  const path = join(folder, 'doubt.jsonl');
  const before = Date.now();
  const journal = await openJournal(path, 'run');
  await journal.asking(0);
  await journal.answered(0, first);
  await journal.asking(1);
  await journal.close();
  const again = await openJournal(path, 'run');
  assert.equal(again.done, 1);
  assert.ok(again.askedAt !== null && again.askedAt >= before && again.askedAt <= Date.now());
  await again.close();
});

test('wherever a crash cuts the last line, what stood before it holds and what is written after it is kept', async () => {
  const path = join(folder, 'cut.jsonl');
  const journal = await openJournal(path, 'run');
  await journal.answered(0, first);
  const whole = (await readFile(path)).length;
  await journal.answered(1, second);
  await journal.close();
  const content = await readFile(path);
  for (let size = whole; size < content.length - 1; size += 7) {
    await truncate(path, 0);
    await appendFile(path, content.subarray(0, size));
    const cut = await openJournal(path, 'run');
    assert.equal(cut.done, 1, `cut at ${size}`);
    await cut.answered(1, second);
    await cut.close();
    const next = await openJournal(path, 'run');
    assert.equal(next.done, 2, `cut at ${size}`);
    await next.close();
  }
});

test('runs do not see each other', async () => {
  const path = join(folder, 'runs.jsonl');
  const one = await openJournal(path, 'one');
  await one.answered(0, first);
  await one.close();
  const other = await openJournal(path, 'other');
  assert.equal(other.done, 0);
  assert.deepEqual(await Array.fromAsync(other.results()), []);
  await other.close();
});
