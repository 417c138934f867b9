import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { place, setUp, type WebhookToHave } from '../../src/actions/set-up.ts';
import type { SenderId, TenantId } from '../../src/domain/ids.ts';
import { createSealer } from '../../src/runtime/sealer.ts';
import { type TestDatabase, testDatabase } from '../database.ts';

let database: TestDatabase;
const sealer = createSealer([{ version: 1, key: randomBytes(32) }]);
const numbers = [
  {
    phoneNumberId: '1',
    accountId: '2',
    portfolio: '3',
    phone: '+6281200000000',
    accessToken: 't',
    messagesPerSecond: 80,
  },
];

before(async () => {
  database = await testDatabase();
});
after(() => database.drop());

const start = (webhook: WebhookToHave | null) =>
  setUp(database.db, { sealer, apiKey: null, operatorKey: null, appSecret: null, verifyToken: null, numbers, webhook });

interface Row {
  tenant_id: TenantId;
  id: SenderId;
  channel: string;
  is_default: boolean;
  webhook_url: string | null;
  webhook_header: string | null;
  webhook_key_sealed: Buffer | null;
  portfolio_id: string;
}

const senders = () =>
  database.db.query<Row>({
    name: 'test_senders',
    text: 'select s.*, l.portfolio_id from senders s join lanes l on l.id = s.lane_id order by s.created_at, s.channel desc',
  });

test('a configured webhook becomes the default sender, once, and follows the configuration', async () => {
  await start(null);
  assert.deepEqual(
    (await senders()).map(({ channel, is_default }) => [channel, is_default]),
    [['whatsapp', true]],
  );
  const url = 'https://hooks.example/in';
  const { senders: first } = await start({ url, header: 'x-api-key', apiKey: 'a key' });
  const [number, webhook, ...more] = await senders();
  assert.ok(webhook);
  assert.deepEqual([number?.is_default, webhook.is_default, more.length], [false, true, 0]);
  assert.deepEqual([first[0]?.id, first[0]?.phone_number_id], [webhook.id, null]);
  assert.deepEqual([webhook.webhook_url, webhook.portfolio_id], [url, `webhook:${webhook.id}`]);
  const where = place.webhookKey(webhook.tenant_id, webhook.id);
  assert.equal(sealer.open(webhook.webhook_key_sealed ?? Buffer.alloc(0), where), 'a key');

  // A person may choose another default, and that stays.
  await database.db.script(
    "update senders set is_default = false; update senders set is_default = true where channel = 'whatsapp'",
  );
  await start({ url: 'https://other.example/', header: 'x-token', apiKey: null });
  const [, changed, ...others] = await senders();
  assert.deepEqual(
    [changed?.id, changed?.webhook_url, changed?.webhook_header, changed?.webhook_key_sealed, changed?.is_default],
    [webhook.id, 'https://other.example/', 'x-token', null, false],
  );
  assert.equal(others.length, 0);

  await start(null);
  assert.equal((await senders()).length, 2, 'a webhook that is no longer configured stays');

  await database.db.script("delete from senders where channel = 'webhook'");
  await start({ url, header: 'x-api-key', apiKey: null });
  await start({ url, header: 'x-api-key', apiKey: null });
  assert.equal((await senders()).length, 2, 'a webhook that was deleted is made anew');
});
