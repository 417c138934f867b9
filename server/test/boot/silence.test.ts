import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { SAMPLES } from '../media-samples.ts';
import { until } from '../until.ts';
import { type Credentials, credentials, dataFolder, startProgram, suiteDatabase } from './program.ts';

/** Stands in everything that must not be logged: secrets, and what people say. */
const MARK = 'planted';
const APP_SECRET = `${MARK}-app-secret`;
const TOKEN = `${MARK}-access-token`;

test('the log holds no secret and nothing that anybody said, at debug level, through good and bad', async (t) => {
  const folder = dataFolder(t);
  const program = startProgram(t, folder, {
    ...(await suiteDatabase(t)),
    ALDIS_LOG_LEVEL: 'debug',
    ALDIS_WHATSAPP_APP_SECRET: APP_SECRET,
    ALDIS_WHATSAPP_VERIFY_TOKEN: `${MARK}-verify-token`,
    ALDIS_OUTGOING_ALLOWED_NETWORKS: '127.0.0.1',
  });
  const url = await program.ready;
  const at = credentials(folder) as Credentials & { operator_key: string };
  const ask = async (method: string, path: string, body?: object | string, key = at.operator_key) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { 'x-api-key': key, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Record<string, string> };
  };
  const simulate = async (path: string, body: object) => {
    const response = await fetch(`${at.simulator_url}/_simulator/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    const text = await response.text();
    assert.ok(response.ok, text);
    return JSON.parse(text) as { wamid: string };
  };
  const said = `${MARK} words`;
  const send = (to: string, more: object = { content: { text: said } }) =>
    ask('POST', '/api/v1/messages', { to, metadata: { note: said }, ...more });
  const stateOf = async (id = '') => (await ask('GET', `/api/v1/messages/${id}`)).body['state'] ?? '';

  // A token, an app and a webhook that stay secret.
  const { body: own } = await ask('GET', `/api/v1/senders/${at.sender_id}`);
  const account = `/api/v1/accounts/${own['account_id']}`;
  assert.ok((await ask('PATCH', account, { access_token: TOKEN })).status < 300);
  assert.equal(
    (await ask('POST', '/api/v1/apps', { id: 'shop', app_secret: `${MARK}-1`, verify_token: `${MARK}-2` })).status,
    201,
  );
  const hook = await ask('POST', '/api/v1/senders', {
    channel: 'webhook',
    webhook_url: `http://127.0.0.1:1/${MARK}`,
    webhook_key: `${MARK}-webhook-key`,
  });
  assert.equal(hook.status, 201, JSON.stringify(hook.body));

  // What is sent, well and badly.
  const [good, refused, cut, garbage, hooked] = await Promise.all([
    send('+16505551234'),
    send('+19990131047'),
    send('+19995000001'),
    send('+19995300001'),
    send('+16505551235', { sender_id: hook.body['id'], content: { text: said } }),
  ]);
  for (const one of [good, refused, cut, garbage, hooked]) assert.equal(one?.status, 202, JSON.stringify(one?.body));
  const form = new FormData();
  form.append('file', new Blob([new Uint8Array(SAMPLES.jpeg)]), `${MARK}.jpg`);
  const upload = await fetch(`${url}/api/v1/media`, {
    method: 'POST',
    headers: { 'x-api-key': at.api_key },
    body: form,
  });
  const { id: media_id } = (await upload.json()) as { id: string };
  const picture = await send('+16505551234', { content: { media_id, text: said } });
  await ask('POST', '/api/v1/messages', `{"to": "+16505551234", "content": {"text": "${said}`);
  await send('+16505551234', { content: { text: 7 }, [MARK]: 1 });
  await ask('GET', '/api/v1/messages', undefined, `aldis_${MARK}`);
  await ask('POST', '/api/v1/media', { url: `http://127.0.0.1:1/${MARK}.jpg` });
  await ask('POST', '/api/v1/templates', {
    name: 'hello',
    language: 'en',
    category: 'utility',
    components: [{ type: 'BODY', text: said }],
  });
  await ask('POST', '/api/v1/contacts', { phone: '+16505559999', name: said, attributes: { note: said } });
  await ask('POST', '/api/v1/exports', { kind: 'messages', format: 'csv' });

  // What customers say, and what comes by the webhook that is not in order.
  const { wamid } = await simulate('inbound', { from: '+16505551234', name: said, text: said });
  const file = Buffer.from('bytes').toString('base64');
  await simulate('inbound', {
    from: '+16505551234',
    type: 'document',
    media: { data: file, mime_type: 'text/plain', filename: `${MARK}.txt`, caption: said },
  });
  await simulate('inbound', { from: '+16505551234', text: 'STOP' });
  const post = (body: string, secret: string, app = '') =>
    fetch(`${url}/webhooks/whatsapp${app}`, {
      method: 'POST',
      headers: { 'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}` },
      body,
    }).then((response) => response.status);
  const entry = (field: string, value: unknown) =>
    JSON.stringify({
      object: 'whatsapp_business_account',
      entry: [{ id: own['account_id'], changes: [{ field, value }] }],
    });
  const statuses = [
    await post(`{"text": "${said}"`, APP_SECRET),
    await post(`${said}`, APP_SECRET),
    await post(entry('messages', { messages: [{ id: 7, text: said }, said], statuses: said }), APP_SECRET),
    await post(entry('account_alerts', { alert_info: said }), APP_SECRET),
    await post(
      entry('message_template_status_update', { event: said, reason: said, message_template_name: said }),
      APP_SECRET,
    ),
    await post(entry('user_preferences', { user_preferences: [{ wa_id: said, value: said }] }), APP_SECRET),
    await post(said, 'wrong'),
    await post(said, 'wrong', `/${MARK}`),
  ];
  assert.deepEqual(statuses.slice(-2), [401, 404]);
  await fetch(`${url}/webhooks/whatsapp?hub.mode=subscribe&hub.verify_token=${MARK}-no&hub.challenge=${MARK}`);
  await until('the message came', async () => {
    const { body } = await ask('GET', '/api/v1/messages?direction=inbound');
    return JSON.stringify(body).includes(wamid);
  });
  await until('some were sent', async () => /^(delivered|read)$/.test(await stateOf(good?.body['id'])));
  await until('the picture was sent', async () => /^(sent|delivered|read)$/.test(await stateOf(picture.body['id'])));
  await until('one was refused', async () => (await stateOf(refused?.body['id'])) === 'failed');

  // The token is good no more.
  await simulate('tokens', { revoke: TOKEN });
  const waiting = await send('+16505551236');
  await until('it was tried', async () => {
    const { body } = await ask('GET', `/api/v1/messages/${waiting.body['id']}`);
    return JSON.stringify(body['history']).includes('"retry"');
  });
  await ask('POST', `${account}/sync`);
  await ask('POST', '/api/v1/secrets/rotate');
  program.kill('SIGTERM');
  assert.deepEqual(await program.ended, { code: 0, signal: null });

  const log = program.stderr();
  assert.match(log, /"level":"debug"/);
  assert.match(log, /"level":"warn"/);
  const lines = log
    .split('\n')
    .filter((line) => line.includes(MARK) || line.includes(at.api_key) || line.includes(at.operator_key));
  assert.deepEqual(lines, []);
  assert.ok(!program.stdout().includes(MARK));
});
