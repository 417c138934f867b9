import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { place } from '../../src/actions/set-up.ts';
import { newId, type SenderId, type TenantId } from '../../src/domain/ids.ts';
import { newPhone } from '../engine-world.ts';
import { SEALER } from './door-world.ts';
import { type Asker, asker, type OperatorWorld, operatorWorld, tableText } from './operator.ts';

let stage: OperatorWorld;
let operator: Asker;
before(async () => {
  stage = await operatorWorld();
  operator = stage.operator;
});
after(() => stage.world.close());

let numbers = 100_000;
/** A number that can be made a sender. */
const number = (change: object = {}) => ({
  name: 'Outlet',
  phone: newPhone(),
  phone_number_id: String(++numbers),
  account_id: '20001',
  access_token: `EAAtoken${numbers}`,
  ...change,
});

/** A tenant without senders. */
async function newTenant(): Promise<TenantId> {
  return (await operator.ask('POST', '/tenants', { name: 'x' })).body.id as string as TenantId;
}

const secretsOf = (tenant: TenantId, id: string) =>
  stage.world.db
    .query<{ token: Buffer | null; key: Buffer | null; portfolio: string }>(
      {
        name: 'test_sender_secrets',
        text: `
select s.access_token_sealed as token, s.webhook_key_sealed as key, l.portfolio_id as portfolio
from senders s join lanes l on l.id = s.lane_id where s.tenant_id = $1 and s.id = $2`,
      },
      [tenant, id],
    )
    .then(([row]) => {
      assert.ok(row);
      const at = [tenant, id as SenderId] as const;
      return {
        token: row.token && SEALER.open(row.token, place.accessToken(...at)),
        key: row.key && SEALER.open(row.key, place.webhookKey(...at)),
        portfolio: row.portfolio,
      };
    });

test('a number is made a sender; its token is sealed, and told to nobody', async () => {
  const tenant_id = await newTenant();
  const asked = number({ external_id: 'outlet 1', portfolio_id: '30001', per_day: 500 });
  const made = await operator.ask('POST', '/senders', { tenant_id, ...asked });
  assert.equal(made.status, 201, made.body.message);
  const { id, created_at, ...rest } = made.body;
  const { access_token, ...told } = asked;
  assert.deepEqual(rest, {
    ...told,
    channel: 'whatsapp',
    portfolio_id: '30001',
    app_id: 'default',
    webhook_url: null,
    webhook_header: null,
    messages_per_second: 80,
    per_minute: null,
    batch_size: null,
    processing_interval_ms: null,
    is_default: true,
    enabled: true,
    outside_window: 'refuse',
    verified_name: null,
    name_status: null,
    quality: null,
    throughput: null,
    messaging_limit: null,
    connected: null,
    connection_detail: null,
    connection_checked_at: null,
  });
  assert.ok(created_at);
  assert.deepEqual(await secretsOf(tenant_id, id), { token: access_token, key: null, portfolio: '30001' });
  for (const reference of [id, 'outlet%201']) {
    const read = await operator.ask('GET', `/senders/${reference}?tenant_id=${tenant_id}`);
    assert.deepEqual([read.status, read.body], [200, made.body]);
  }
  const renewed = await operator.ask(
    'PATCH',
    `/senders/${id}`,
    { access_token: 'EAAnew', name: 'Renamed' },
    {
      'x-tenant-id': tenant_id,
    },
  );
  assert.deepEqual([renewed.status, renewed.body], [200, { ...made.body, name: 'Renamed' }]);
  assert.equal((await secretsOf(tenant_id, id)).token, 'EAAnew');
  assert.doesNotMatch(JSON.stringify([made.body, renewed.body]), /EAA/);
  assert.doesNotMatch(await tableText(stage.world, 'senders'), /EAA/);
});

test('numbers of one portfolio share a lane; a webhook has one of its own, and its key can be taken away', async () => {
  const tenant_id = await newTenant();
  const laneOf = async (id: string) => {
    const text = 'select lane_id from senders where tenant_id = $1 and id = $2';
    const rows = await stage.world.db.query<{ lane_id: number }>({ name: 'test_lane_of', text }, [tenant_id, id]);
    return rows[0]?.lane_id;
  };
  const make = async (body: object) => (await operator.ask('POST', '/senders', { tenant_id, ...body })).body;
  const [a, b] = [await make(number({ portfolio_id: '30002' })), await make(number({ portfolio_id: '30002' }))];
  const webhook = { channel: 'webhook', webhook_url: 'https://hooks.example/in', webhook_key: 'k-1' };
  const c = await make(webhook);
  const d = await make({ ...webhook, name: 'second' });
  assert.equal(await laneOf(a.id), await laneOf(b.id));
  assert.equal(new Set([await laneOf(b.id), await laneOf(c.id), await laneOf(d.id)]).size, 3);
  assert.deepEqual([c['name'], c['phone'], c['portfolio_id'], c['app_id']], ['hooks.example', null, null, null]);
  assert.equal((await secretsOf(tenant_id, c.id)).key, 'k-1');
  const patch = (body: object) => operator.ask('PATCH', `/senders/${c.id}?tenant_id=${tenant_id}`, body);
  assert.equal((await patch({ webhook_header: 'authorization' })).body['webhook_header'], 'authorization');
  assert.equal((await secretsOf(tenant_id, c.id)).key, 'k-1');
  assert.equal((await patch({ webhook_key: null, webhook_header: null })).body['webhook_header'], null);
  assert.equal((await secretsOf(tenant_id, c.id)).key, null);
});

test('one sender is the default, whichever was said last', async () => {
  const tenant_id = await newTenant();
  const ids: string[] = [];
  for (const is_default of [undefined, undefined, true]) {
    ids.push((await operator.ask('POST', '/senders', { tenant_id, ...number({ is_default }) })).body.id);
  }
  const defaults = async () => {
    const { body } = await operator.ask('GET', `/senders?tenant_id=${tenant_id}`);
    const senders = body['senders'] as { id: string; is_default: boolean }[];
    assert.deepEqual(
      senders.map(({ id }) => id),
      ids.toReversed(),
    );
    return senders.filter((sender) => sender.is_default).map(({ id }) => id);
  };
  assert.deepEqual(await defaults(), [ids[2]]);
  const change = (id: string | undefined, is_default: boolean) =>
    operator.ask('PATCH', `/senders/${id}?tenant_id=${tenant_id}`, { is_default });
  await Promise.all([change(ids[0], true), change(ids[1], true), change(ids[0], true)]);
  assert.equal((await defaults()).length, 1);
  await change(ids[0], true);
  assert.deepEqual(await defaults(), [ids[0]]);
  await change(ids[0], false);
  assert.deepEqual(await defaults(), []);
});

test('a sender that is disabled, or not connected, accepts nothing, at once; enabled again it does', async () => {
  const customer = await stage.world.customer();
  const send = (path = '/api/v1/messages') => {
    const message = { to: newPhone(), content: { text: 'x' } };
    return customer.post(path, path.endsWith('/batch') ? { messages: [message] } : message);
  };
  const path = `/senders/${customer.sender}?tenant_id=${customer.tenant}`;
  assert.equal((await send()).status, 202);
  await operator.ask('PATCH', path, { enabled: false });
  const refused = await send();
  assert.deepEqual(
    [refused.status, refused.body.error, refused.body.message, refused.body.details?.field],
    [400, 'sender_not_connected', 'WhatsApp account is not connected', 'sender_id'],
  );
  assert.deepEqual(refused.body.details, { field: 'sender_id', detail: 'the sender is switched off' });
  const batch = await send('/api/v1/messages/batch');
  assert.deepEqual([batch.body.accepted, batch.body.errors[0]?.error], [0, 'sender_not_connected']);
  await operator.ask('PATCH', path, { enabled: true });
  assert.equal((await send()).status, 202);
  await stage.world.db.script(`update senders set connected = false where id = '${customer.sender}'`);
  stage.world.signals.notify('senders');
  assert.equal((await send()).body.error, 'sender_not_connected');
  // Another token: believed to be well until WhatsApp says otherwise.
  const renewed = await operator.ask('PATCH', path, { access_token: 'another' });
  assert.equal(renewed.body['connected'], null);
  assert.equal((await send()).status, 202);
});

test('free text outside the window is refused or sent, as is said; a rate that is given stays, and can be given back', async () => {
  const tenant_id = await newTenant();
  const made = await operator.ask('POST', '/senders', { tenant_id, ...number({ outside_window: 'send' }) });
  assert.deepEqual([made.body['outside_window'], made.body['messages_per_second']], ['send', 80]);
  const path = `/senders/${made.body.id}?tenant_id=${tenant_id}`;
  const patch = async (body: object) => (await operator.ask('PATCH', path, body)).body;
  assert.equal((await patch({ outside_window: 'refuse' }))['outside_window'], 'refuse');
  const own = async () => {
    const text = 'select own_rate as own from senders where id = $1';
    return (await stage.world.db.query<{ own: boolean }>({ name: 'test_own_rate', text }, [made.body.id]))[0]?.own;
  };
  assert.equal(await own(), false);
  assert.equal((await patch({ messages_per_second: 5 }))['messages_per_second'], 5);
  assert.equal(await own(), true);
  await stage.world.db.script(`update senders set throughput = 'HIGH' where id = '${made.body.id}'`);
  assert.equal((await patch({ name: 'x' }))['messages_per_second'], 5);
  assert.equal((await patch({ messages_per_second: null }))['messages_per_second'], 1000);
  assert.equal(await own(), false);
  for (const [field, value] of [
    ['outside_window', 'maybe'],
    ['outside_window', null],
    ['messages_per_second', 0],
  ] as const) {
    const answer = await patch({ [field]: value });
    assert.deepEqual([answer.error, answer.details?.field], ['invalid_field', field]);
  }
});

test('a sender that has sent is kept; one that has not can be deleted', async () => {
  const customer = await stage.world.customer();
  await customer.accept();
  const used = await operator.ask('DELETE', `/senders/${customer.sender}?tenant_id=${customer.tenant}`);
  assert.deepEqual([used.status, used.body.error], [409, 'in_use']);
  assert.match(used.body.message, /disable it/);
  const { body } = await operator.ask('POST', '/senders', number({ external_id: 'unused' }));
  const deleted = await operator.ask('DELETE', '/senders/unused');
  assert.deepEqual([deleted.status, deleted.body], [200, { id: body.id, deleted: true }]);
  assert.equal((await operator.ask('GET', '/senders/unused')).status, 404);
});

test("a tenant's key sees its own senders, and changes none; another tenant's are not there", async () => {
  const customer = await stage.world.customer();
  const own = asker(stage.world, customer.key);
  const { body } = await own.ask('GET', '/senders');
  assert.deepEqual(
    (body['senders'] as { id: string }[]).map(({ id }) => id),
    [customer.sender],
  );
  assert.equal((await own.ask('GET', `/senders/${customer.sender}?tenant_id=${customer.tenant}`)).status, 200);
  assert.equal((await own.ask('GET', `/senders/${stage.own.sender}`)).status, 404);
  for (const named of [stage.own.tenant, newId(), 'nobody']) {
    const answer = await own.ask('GET', `/senders?tenant_id=${named}`);
    assert.deepEqual([answer.status, answer.body.error, answer.body.details?.field], [403, 'forbidden', 'tenant_id']);
  }
  assert.equal((await own.ask('PATCH', `/senders/${customer.sender}`, { enabled: false })).status, 403);
  assert.equal((await own.ask('POST', '/senders', number())).status, 403);
  assert.equal((await own.ask('DELETE', `/senders/${customer.sender}`)).status, 403);
});

test('a name or number that is taken is 409', async () => {
  const tenant_id = await newTenant();
  const first = number({ external_id: 'taken' });
  assert.equal((await operator.ask('POST', '/senders', { tenant_id, ...first })).status, 201);
  const again = await operator.ask('POST', '/senders', { tenant_id, ...number({ external_id: 'taken' }) });
  assert.deepEqual([again.status, again.body.error, again.body.details?.field], [409, 'already_exists', 'external_id']);
  // A number is one sender, of whatever tenant: its webhooks lead to one.
  const same = await operator.ask('POST', '/senders', number({ phone_number_id: first.phone_number_id }));
  assert.deepEqual([same.status, same.body.details?.field], [409, 'phone_number_id']);
  assert.equal((await operator.ask('POST', '/senders', number({ external_id: 'taken' }))).status, 201);
});

test('bad input is refused with its field, and nothing is written', async () => {
  const { body: held } = await operator.ask('POST', '/senders', number({ name: 'held' }));
  const { body: hook } = await operator.ask('POST', '/senders', {
    channel: 'webhook',
    webhook_url: 'http://h.example',
  });
  const before = await tableText(stage.world, 'senders');
  const { access_token, ...tokenless } = number();
  const webhook = { channel: 'webhook', webhook_url: 'https://hooks.example' };
  const wrong: [string, string, object, string, string][] = [
    ['POST', '/senders', { ...tokenless }, 'missing_field', 'access_token'],
    ['POST', '/senders', { name: 'x' }, 'missing_field', 'phone'],
    ['POST', '/senders', { channel: 'webhook' }, 'missing_field', 'webhook_url'],
    ['POST', '/senders', { channel: 'sms' }, 'invalid_field', 'channel'],
    ['POST', '/senders', { ...webhook, phone: newPhone() }, 'invalid_field', 'phone'],
    ['POST', '/senders', number({ webhook_url: 'https://x.example' }), 'invalid_field', 'webhook_url'],
    ['POST', '/senders', number({ phone: '0812' }), 'invalid_field', 'phone'],
    ['POST', '/senders', number({ phone_number_id: '12/../34' }), 'invalid_field', 'phone_number_id'],
    ['POST', '/senders', number({ access_token: 'a\r\nb: c' }), 'invalid_field', 'access_token'],
    ['POST', '/senders', number({ access_token: '' }), 'invalid_field', 'access_token'],
    ['POST', '/senders', number({ messages_per_second: 0 }), 'invalid_field', 'messages_per_second'],
    ['POST', '/senders', number({ batch_size: 5 }), 'missing_field', 'processing_interval_ms'],
    ['POST', '/senders', number({ processing_interval_ms: 5000 }), 'missing_field', 'batch_size'],
    ['POST', '/senders', number({ connected: true }), 'unknown_field', 'connected'],
    ['POST', '/senders', number({ tenant_id: 'nobody' }), 'not_found', 'tenant_id'],
    ['POST', '/senders', { ...webhook, webhook_url: 'ftp://hooks.example' }, 'invalid_field', 'webhook_url'],
    ['POST', '/senders', { ...webhook, webhook_url: 'nowhere' }, 'invalid_field', 'webhook_url'],
    ['POST', '/senders', { ...webhook, webhook_url: 'https://u:p@hooks.example' }, 'invalid_field', 'webhook_url'],
    ['POST', '/senders', { ...webhook, webhook_url: 'https://hooks.example/\0' }, 'invalid_field', 'webhook_url'],
    ['POST', '/senders', { ...webhook, name: '\ud800' }, 'invalid_field', 'name'],
    ['PATCH', '/senders/a%00b', { name: 'x' }, 'not_found', 'id'],
    ['POST', '/senders', { ...webhook, webhook_header: 'a b' }, 'invalid_field', 'webhook_header'],
    ['POST', '/senders', { ...webhook, webhook_header: 'Content-Length' }, 'invalid_field', 'webhook_header'],
    ['PATCH', `/senders/${held.id}`, { webhook_url: 'https://x.example' }, 'invalid_field', 'webhook_url'],
    ['PATCH', `/senders/${hook.id}`, { access_token: 'x' }, 'invalid_field', 'access_token'],
    ['PATCH', `/senders/${held.id}`, { portfolio_id: '30009' }, 'unknown_field', 'portfolio_id'],
    ['PATCH', `/senders/${held.id}`, { phone: null }, 'invalid_field', 'phone'],
    ['PATCH', `/senders/${held.id}`, { batch_size: 5 }, 'missing_field', 'processing_interval_ms'],
    ['PATCH', `/senders/${held.id}`, {}, 'invalid_field', 'body'],
    ['PATCH', `/senders/${newId()}`, { name: 'x' }, 'not_found', 'id'],
  ];
  for (const [method, path, body, error, field] of wrong) {
    const answer = await operator.ask(method, path, body);
    const what = `${method} ${JSON.stringify(body)}: ${answer.body.message}`;
    assert.deepEqual([answer.body.error, answer.body.details?.field], [error, field], what);
    assert.doesNotMatch(answer.body.message, /EAA|a\r\n/, what);
  }
  const two = await operator.ask('GET', `/senders?tenant_id=${newId()}`, undefined, { 'x-tenant-id': newId() });
  assert.deepEqual([two.body.error, two.body.details?.field], ['invalid_field', 'tenant_id']);
  assert.equal(await tableText(stage.world, 'senders'), before);
});
