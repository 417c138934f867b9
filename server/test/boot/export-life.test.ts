import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { runAldis } from '../cli/run-aldis.ts';
import { credentials, dataFolder, startProgram, suiteDatabase } from './program.ts';

test('a list goes from the program to a file, and lies in the media store of its folder', {
  timeout: 60_000,
}, async (t) => {
  const folder = dataFolder(t);
  const program = startProgram(t, folder, { ...(await suiteDatabase(t)), ALDIS_EXPORTS_RETENTION: '1h' });
  await program.ready;
  const { url, api_key: key } = credentials(folder);
  const scheduled_at = new Date(Date.now() + 3_600_000).toISOString();
  const messages = Array.from({ length: 1500 }, (_, i) => ({
    to: `+62812${String(i).padStart(8, '0')}`,
    content: { text: `=Number ${i}` },
    scheduled_at,
  }));
  const response = await fetch(`${url}/api/v1/messages/batch`, {
    method: 'POST',
    headers: { 'x-api-key': key, 'content-type': 'application/json' },
    body: JSON.stringify({ messages }),
  });
  assert.equal(((await response.json()) as { accepted: number }).accepted, 1500);

  const env = { ALDIS_DATA_DIR: folder };
  const [list, people] = [join(folder, 'messages.csv'), join(folder, 'people.jsonl')];
  const ended = await Promise.all([
    runAldis(['export', 'messages', '--out', list, '--status', 'queued'], env).ended,
    runAldis(['export', 'contacts', '--format', 'jsonl', '--out', people], env).ended,
  ]);
  for (const { code, stderr } of ended) assert.equal(code, 0, stderr);
  const rows = parse(readFileSync(list), { columns: true }) as Record<string, string>[];
  assert.equal(new Set(rows.map(({ id }) => id)).size, 1500);
  assert.deepEqual(
    rows.map(({ to, content }) => [to, content]).sort(),
    messages.map(({ to, content }) => [`'${to}`, JSON.stringify(content)]).sort(),
  );
  const contacts = readFileSync(people, 'utf8').trim().split('\n');
  assert.deepEqual(
    contacts.map((line) => (JSON.parse(line) as { phone: string }).phone).sort(),
    messages.map(({ to }) => to).sort(),
  );
});
