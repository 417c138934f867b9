import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { openPool } from '../../src/db/pool.ts';
import { credentials, dataFolder, startProgram, suiteDatabase } from '../boot/program.ts';
import { runAldis } from '../cli/run-aldis.ts';
import { until } from '../until.ts';
import { sink } from './sink.ts';

test('the program posts to an endpoint that the command line adds; a kill leaves nothing out', async (t) => {
  const [folder, database, receiver] = [dataFolder(t), await suiteDatabase(t), await sink()];
  t.after(receiver.close);
  const settings = { ...database, ALDIS_WEBHOOKS_OUT_ALLOW_PRIVATE: 'true', ALDIS_LOG_FORMAT: 'json' };
  const first = startProgram(t, folder, settings);
  await first.ready;
  const aldis = async (...args: string[]) => {
    const ended = await runAldis([...args, '--json'], { ALDIS_DATA_DIR: folder }).ended;
    assert.equal(ended.code, 0, ended.stderr);
    return JSON.parse(ended.stdout);
  };
  const added = await aldis(
    'webhook',
    'add',
    receiver.url,
    '--event',
    'message.*',
    '--ordered',
    '--description',
    'mine',
  );
  assert.deepEqual([added.event_types, added.ordered, added.description], [['message.*'], true, 'mine']);
  const [listed] = await aldis('webhook', 'list');
  assert.deepEqual([listed.id, listed.secret], [added.id, undefined]);

  const { url, api_key } = credentials(folder);
  const send = async (at: string) => {
    const sent = await fetch(`${at}/api/v1/messages`, {
      method: 'POST',
      headers: { 'x-api-key': api_key, 'content-type': 'application/json' },
      body: JSON.stringify({ to: '+6281234567890', content: { text: 'Hello' } }),
    });
    assert.equal(sent.status, 202);
    return ((await sent.json()) as { id: string }).id;
  };
  const toldOf = (message: string) =>
    receiver.posted.filter(({ data }) => data['id'] === message).map(({ type }) => type);
  const message = await send(url);
  const life = ['message.queued', 'message.sent', 'message.delivered'];
  await until('its life is told, in order', () => life.every((type, i) => [...new Set(toldOf(message))][i] === type));
  for (const { body, headers } of receiver.posted)
    new Webhook(added.secret).verify(body, headers as Record<string, string>);

  const tested = await aldis('webhook', 'test', added.id);
  await until('the test came', () => receiver.taken.includes(tested.event_id));
  const deliveries = await aldis('webhook', 'deliveries', added.id, '--event-type', 'message.sent');
  assert.equal(deliveries.length, 1);
  const shown = await aldis('webhook', 'delivery', added.id, deliveries[0].id);
  assert.deepEqual(
    [shown.id, shown.attempts.map(({ http_status }: { http_status: number }) => http_status)],
    [deliveries[0].id, [204]],
  );
  assert.deepEqual(await aldis('webhook', 'replays', added.id), []);
  await aldis('webhook', 'replay', added.id, deliveries[0].id);
  await until('it came again', () => receiver.taken.filter((id) => id === deliveries[0].event_id).length === 2);
  const metrics = await (await fetch(`${url}/metrics`, { headers: { 'x-api-key': api_key } })).text();
  assert.match(metrics, /^aldis_webhook_deliveries_total\{result="delivered"\} [1-9]/m);
  assert.match(metrics, /^aldis_webhook_endpoints\{state="disabled"\} 0/m);

  const left = await send(url);
  first.kill('SIGKILL');
  await first.ended;
  // Nobody has to wait until what the dead one held is free.
  const db = openPool({ connection: database.ALDIS_DATABASE_URL, max: 1, onError() {} });
  await db.script(
    'update webhook_deliveries set due_at = now() where due_at is not null; update event_consumers set held_until = null',
  );
  await db.close();
  const second = startProgram(t, folder, settings);
  const again = await second.ready;
  await until('what was left is told', () => toldOf(left).includes('message.queued'), 60_000);
  await aldis('webhook', 'remove', added.id);
  const posted = receiver.posted.length;
  const last = await send(again);
  const tail = await runAldis(['webhook', 'list'], { ALDIS_DATA_DIR: folder }).ended;
  assert.equal(tail.stdout, 'Events are posted nowhere.\n');
  assert.deepEqual(toldOf(last), []);
  assert.ok(receiver.posted.length - posted <= 5);
  second.kill('SIGTERM');
  assert.deepEqual(await second.ended, { code: 0, signal: null });
  assert.doesNotMatch(first.stderr() + second.stderr() + first.stdout() + second.stdout(), /whsec_/);
});
