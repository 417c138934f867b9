import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { readWebhookAnswer } from '../../src/channels/webhook/webhook-answer.ts';
import { webhookChannel } from '../../src/channels/webhook/webhook-channel.ts';
import type { Attempt, WebhookSender } from '../../src/domain/channel.ts';
import { newId } from '../../src/domain/ids.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import { guardedFetch } from '../../src/net/guarded-fetch.ts';
import { addressGuard } from '../../src/net/guarded-fetch-addresses.ts';

const ID = '018f5e0e-0000-7000-8000-000000000001';
const go = () => null;

const attempt: Attempt = {
  message_id: ID as Attempt['message_id'],
  attempt: 1,
  started_at: 0,
  type: 'text',
  address: '+6281234567890',
  content: { text: 'Hällo' },
  template: null,
  reply_to: null,
};

const answer = (status: number, body = '', headers: Record<string, string> = {}): Outcome =>
  readWebhookAnswer({ status, headers, body, cut: null }, ID);

async function webhook(t: TestContext, respond: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      got.push({ headers: request.headers, body: JSON.parse(body) });
      respond(request, response);
    });
  });
  const got: { headers: NodeJS.Dict<unknown>; body: unknown }[] = [];
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const channel = webhookChannel(guardedFetch({ guard: addressGuard(['127.0.0.1']), connections: 4, timeout: 300 }));
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    await channel.close();
  });
  const sender: WebhookSender = {
    channel: 'webhook',
    tenant_id: newId(),
    id: newId(),
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    header: 'x-api-key',
    key: 'a key',
  };
  return { channel, sender, got };
}

test('the call is the documented one: the same key and id each time', async (t) => {
  const { channel, sender, got } = await webhook(t, (_request, response) => response.end('{"messageId":"w-1"}'));
  for (const n of [1, 2]) {
    const outcome = await channel.call(channel.prepare({ ...attempt, attempt: n }, sender), go);
    assert.deepEqual(outcome, { kind: 'sent', wamid: 'w-1' });
  }
  for (const { headers, body } of got) {
    assert.deepEqual(body, { to: '+6281234567890', content: 'Hällo', message_id: ID });
    assert.deepEqual([headers['x-api-key'], headers['idempotency-key']], ['a key', ID]);
    assert.equal(headers['content-type'], 'application/json');
  }
});

test('the header of the key can be another, and there may be none', async (t) => {
  const { channel, sender, got } = await webhook(t, (_request, response) => response.end());
  await channel.call(channel.prepare(attempt, { ...sender, header: 'X-Token' }), go);
  await channel.call(channel.prepare(attempt, { ...sender, key: null }), go);
  assert.deepEqual(
    got.map(({ headers }) => [headers['x-token'], headers['x-api-key']]),
    [
      ['a key', undefined],
      [undefined, undefined],
    ],
  );
});

test('media and templates go along beside the documented fields', async (t) => {
  const { channel, sender, got } = await webhook(t, (_request, response) => response.end());
  const template = { name: 'hello', language: 'en' };
  const media = { media_url: 'https://a.example/b.pdf', filename: 'b.pdf' };
  await channel.call(channel.prepare({ ...attempt, content: media }, sender), go);
  await channel.call(channel.prepare({ ...attempt, content: null, template }, sender), go);
  assert.deepEqual(
    got.map(({ body }) => body),
    [
      { to: attempt.address, content: '', message_id: ID, ...media },
      { to: attempt.address, content: '', message_id: ID, template },
    ],
  );
});

test('any 2xx is sent, by whichever id is there, else by ours', () => {
  const cases: [body: string, id: string][] = [
    ['{"messageId":"webhook-msg-123"}', 'webhook-msg-123'],
    ['{"message":"Accepted","message_id":"m-2"}', 'm-2'],
    ['{"messageId":42}', '42'],
    ['{"messageId":"","message_id":"m-3"}', 'm-3'],
    ['{"messageId":"with space"}', ID],
    ['{"messageId":"\\u0000"}', ID],
    [`{"messageId":"${'x'.repeat(600)}"}`, ID],
    ['{"messageId":{}}', ID],
    ['["messageId"]', ID],
    ['null', ID],
    ['<html>', ID],
    ['', ID],
  ];
  for (const [body, id] of cases) {
    for (const status of [200, 201, 202, 204])
      assert.deepEqual(answer(status, body), { kind: 'sent', wamid: id }, body);
  }
});

test('other answers are refused or come again, by their status', () => {
  for (const status of [400, 401, 403, 404, 409, 410, 413, 422]) {
    const outcome = answer(status, 'no\0');
    assert.deepEqual(outcome, {
      kind: 'refused',
      code: status,
      title: `the webhook answered ${status}`,
      detail: 'no\ufffd',
    });
  }
  for (const status of [301, 302, 307]) assert.equal(answer(status).kind, 'refused');
  for (const status of [408, 425, 429, 500, 502, 503, 504]) {
    const outcome = answer(status, '', { 'retry-after': '7' });
    assert.deepEqual(
      [outcome.kind, 'code' in outcome && outcome.code, 'retryAfter' in outcome && outcome.retryAfter],
      ['again', status, 7000],
    );
  }
});

test('no answer comes again; what never left was not sent', async (t) => {
  const silent = await webhook(t, () => {});
  const late = await silent.channel.call(silent.channel.prepare(attempt, silent.sender), go);
  assert.deepEqual([late.kind, 'code' in late && late.code], ['again', 0]);
  const cut = await webhook(t, (request) => request.socket.destroy());
  assert.equal((await cut.channel.call(cut.channel.prepare(attempt, cut.sender), go)).kind, 'again');
  const kept = await cut.channel.call(cut.channel.prepare(attempt, cut.sender), () => 'the lease is over');
  assert.deepEqual(kept, { kind: 'not_sent', detail: 'the lease is over' });
  const inside = cut.channel.prepare(attempt, { ...cut.sender, url: 'http://169.254.169.254/latest/meta-data' });
  const refused = await cut.channel.call(inside, go);
  assert.equal(refused.kind, 'not_sent');
  assert.match('detail' in refused ? (refused.detail ?? '') : '', /may not be called/);
});

test('an answer that never ends is sent all the same, once its status is there', async (t) => {
  const { channel, sender } = await webhook(t, (_request, response) => {
    response.writeHead(200);
    response.write('{"messageId":');
  });
  assert.deepEqual(await channel.call(channel.prepare(attempt, sender), go), { kind: 'sent', wamid: ID });
});
