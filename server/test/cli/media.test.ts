import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Customer, type DoorWorld, doorWorld } from '../http/door-world.ts';
import { SAMPLES } from '../media-samples.ts';
import { type Ended, runAldis } from './run-aldis.ts';

/* `aldis media`, against a real door. */
let world: DoorWorld;
let customer: Customer;
let folder: string;
before(async () => {
  world = await doorWorld();
  customer = await world.customer();
  folder = mkdtempSync(join(tmpdir(), 'aldis-media-cli-'));
});
after(async () => {
  await world.close();
  rmSync(folder, { recursive: true });
});

const aldis = (...args: string[]): Promise<Ended> =>
  runAldis(['media', ...args], { ALDIS_URL: world.url, ALDIS_API_KEY: customer.key }).ended;

async function json(...args: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await aldis(...args, '--json');
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Record<string, unknown>;
}

test('a file is stored, listed, fetched and deleted', async () => {
  const file = join(folder, 'letter.bin');
  writeFileSync(file, SAMPLES.pdf);
  const stored = await json('upload', file);
  const { id } = stored;
  assert.deepEqual(
    [stored['kind'], stored['filename'], stored['size']],
    ['document', 'letter.bin', SAMPLES.pdf.length],
  );
  const { stdout } = await aldis('list');
  assert.match(stdout, new RegExp(`^${String(id)}  document .* application/pdf  letter.bin$`, 'm'));
  const out = join(folder, 'out.pdf');
  assert.deepEqual(await json('download', String(id), '--out', out), { id, file: out, size: SAMPLES.pdf.length });
  assert.deepEqual(readFileSync(out), SAMPLES.pdf);
  const again = await aldis('download', String(id), '--out', out);
  assert.deepEqual([again.code, /exists/.test(again.stderr)], [2, true]);
  assert.deepEqual(await json('delete', String(id)), { id, deleted: true });
  assert.equal((await aldis('show', String(id))).code, 4);
});

test('through npm a relative path begins where the user stands', async () => {
  writeFileSync(join(folder, 'here.bin'), SAMPLES.pdf);
  const settings = { ALDIS_URL: world.url, ALDIS_API_KEY: customer.key };
  const npm = { npm_lifecycle_event: 'aldis', INIT_CWD: folder };
  const run = (...args: string[]) => runAldis(args, { ...settings, ...npm }).ended;
  const { code, stdout, stderr } = await run('media', 'upload', './here.bin', '--json');
  assert.equal(code, 0, stderr);
  const { id } = JSON.parse(stdout) as { id: string };
  const fetched = await run('media', 'download', id, '--out', 'there.pdf');
  assert.equal(fetched.code, 0, fetched.stderr);
  assert.deepEqual(readFileSync(join(folder, 'there.pdf')), SAMPLES.pdf);
  writeFileSync(join(folder, 'template.json'), '[]');
  assert.match((await run('template', 'create', 'template.json')).stderr, /must be an object in JSON/);
  writeFileSync(join(folder, 'empty.txt'), '');
  for (const args of [
    ['account', 'create', '800001', '--access-token-file', 'empty.txt'],
    ['contact', 'consent', '@empty.txt', '--state', 'out'],
  ]) {
    assert.match((await run(...args)).stderr, /empty\.txt is empty/, args.join(' '));
  }
});

test('what cannot be stored is said', async () => {
  const gif = join(folder, 'a.gif');
  writeFileSync(gif, SAMPLES.gif);
  const refused = await aldis('upload', gif);
  assert.deepEqual([refused.code, /takes no GIF/.test(refused.stderr)], [4, true]);
  const absent = await aldis('upload', join(folder, 'none'));
  assert.deepEqual([absent.code, /there is no such file/.test(absent.stderr)], [2, true]);
  const directory = await aldis('upload', folder);
  assert.deepEqual([directory.code, /it is no file/.test(directory.stderr)], [2, true]);
  const inward = await aldis('upload', 'http://127.0.0.1/x');
  assert.deepEqual([inward.code, /loopback/.test(inward.stderr)], [4, true]);
});
