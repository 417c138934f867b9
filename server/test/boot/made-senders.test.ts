import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newPhone } from '../engine-world.ts';
import { until } from '../until.ts';
import { credentials, dataFolder, startProgram, suiteDatabase } from './program.ts';

test('a tenant, sender and key that are made while it runs are used at once', async (t) => {
  const folder = dataFolder(t);
  const program = startProgram(t, folder, await suiteDatabase(t));
  const url = await program.ready;
  const { simulator_url, operator_key } = credentials(folder) as ReturnType<typeof credentials> & {
    operator_key: string;
  };
  const ask = async (method: string, path: string, body?: object, key = operator_key) => {
    const response = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${key}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as Record<string, unknown>;
    assert.ok(response.status < 300, `${method} ${path}: ${JSON.stringify(answer)}`);
    return answer;
  };
  const number = { phone_number_id: '880001', waba_id: '880002', portfolio_id: '880003' };
  await fetch(`${simulator_url}/_simulator/numbers`, { method: 'POST', body: JSON.stringify(number) });
  await ask('POST', '/api/v1/tenants', { name: 'Shop', external_id: 'shop' });
  const { id } = await ask('POST', '/api/v1/senders', {
    tenant_id: 'shop',
    phone: newPhone(),
    phone_number_id: number.phone_number_id,
    account_id: number.waba_id,
    portfolio_id: number.portfolio_id,
    access_token: 'EAAsecret',
  });
  const { key } = await ask('POST', '/api/v1/api-keys', { tenant_id: 'shop', name: 'server' });
  await until('the number is known to be connected', async () => {
    const { connected } = await ask('GET', `/api/v1/senders/${String(id)}?tenant_id=shop`);
    return connected === true;
  });
  const message = { to: newPhone(), content: { text: 'Hello' } };
  const accepted = await ask('POST', '/api/v1/messages', message, String(key));
  assert.equal(accepted['sender_id'], id);
  await until('the message is delivered', async () => {
    const { state } = await ask('GET', `/api/v1/messages/${String(accepted['id'])}`, undefined, String(key));
    return state === 'delivered' || state === 'read';
  });
  program.kill('SIGTERM');
  assert.equal((await program.ended).code, 0);
  assert.doesNotMatch(program.stdout() + program.stderr(), /EAAsecret/);
  assert.ok(!program.stderr().includes(String(key)));
});
