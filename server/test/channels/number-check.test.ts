import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { numberCheck, readNumber } from '../../src/channels/whatsapp/number-check.ts';

const answer = (status: number, body: unknown) =>
  readNumber({ status, text: typeof body === 'string' ? body : JSON.stringify(body) });
const number = { id: '106540352242922', display_phone_number: '+1 555-010-9999', status: 'CONNECTED' };
const error = (code: number) => ({ error: { message: '(#1) x', type: 'OAuthException', code, fbtrace_id: 'A' } });

test('a number that the API shows is connected, and its own number is read', () => {
  assert.deepEqual(answer(200, number), { kind: 'connected', phone: '+15550109999' });
  for (const status of ['FLAGGED', 'RESTRICTED', 'RATE_LIMITED', undefined]) {
    assert.equal(answer(200, { ...number, status }).kind, 'connected', String(status));
  }
  assert.deepEqual(answer(200, { id: '1', display_phone_number: '' }), { kind: 'connected', phone: null });
});

test('what only a person can mend is not connected, and says what to do', () => {
  assert.match(JSON.stringify(answer(401, error(190))), /not_connected.*new access_token \(error 190\)/);
  for (const code of [0, 190, 368, 131031, 131045, 133010]) {
    assert.equal(answer(400, error(code)).kind, 'not_connected', String(code));
  }
  for (const status of ['PENDING', 'UNVERIFIED', 'DISCONNECTED', 'MIGRATED', 'BANNED', 'DELETED']) {
    assert.equal(answer(200, { ...number, status }).kind, 'not_connected', status);
  }
});

test('a token that may send and not ask closes no door, but it is said', () => {
  for (const code of [3, 10, 200, 299, 131005]) {
    assert.match(JSON.stringify(answer(403, error(code))), /"unknown".*grant it whatsapp_business_management/);
  }
  for (const code of [33, 100]) {
    assert.match(JSON.stringify(answer(400, error(code))), /"unknown".*no such phone_number_id/);
  }
});

test('what the API does not say itself tells nothing', () => {
  for (const [status, body] of [
    [500, error(1)],
    [503, error(2)],
    [400, error(4)],
    [400, error(80007)],
    [401, '<html>proxy</html>'],
    [200, '<html>login</html>'],
    [200, {}],
    [200, 'null'],
    [200, '[]'],
    [302, ''],
    [400, { error: 'no object' }],
    [400, { error: { code: '190' } }],
  ] as const) {
    assert.equal(answer(status, body).kind, 'unknown', `${status} ${JSON.stringify(body)}`);
  }
});

async function provider(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('it is asked with the token, and a slow or missing provider is no answer', async (t) => {
  let asked = '';
  const origin = await provider(t, (request, response) => {
    asked = `${request.method} ${request.url} ${request.headers.authorization}`;
    if (request.url?.includes('/7?')) return;
    response.end(JSON.stringify(number));
  });
  const check = numberCheck({ origin, version: 'v26.0', timeout: 200 });
  assert.equal((await check.check({ phone_number_id: '106', access_token: 'EAAx' })).kind, 'connected');
  assert.equal(asked, 'GET /v26.0/106?fields=id,display_phone_number,status Bearer EAAx');
  assert.equal((await check.check({ phone_number_id: '7', access_token: 'EAAx' })).kind, 'unknown');
  const gone = numberCheck({ origin: 'http://127.0.0.1:1', version: 'v26.0', timeout: 200 });
  const missing = await gone.check({ phone_number_id: '106', access_token: 'EAAx' });
  assert.equal(missing.kind, 'unknown');
  assert.doesNotMatch(JSON.stringify(missing), /EAAx/);
});
