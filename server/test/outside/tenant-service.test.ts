import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { tenantService } from '../../src/outside/tenant-service.ts';
import { type FakeTenantService, fakeTenantService } from './fake-tenant-service.ts';

let fake: FakeTenantService;
before(async () => {
  fake = await fakeTenantService();
});
after(() => fake.down());

test('it is asked as it is documented', async () => {
  const service = tenantService(fake.url, 2000);
  fake.answer({ body: { can_send_message: true, reason: '' } });
  assert.deepEqual(await service.checkQuota('tenant-uuid'), { kind: 'quota', allowed: true, reason: '' });
  fake.answer({ body: { can_send_message: false, reason: 'no credit' } });
  assert.deepEqual(await service.checkQuota('a/ü'), { kind: 'quota', allowed: false, reason: 'no credit' });
  fake.answer({ body: { id: 'outlet-uuid', waba_phone_number_id: '123456789', waba_access_token: 'EAAG...' } });
  assert.deepEqual(await service.findOutlet('tenant-uuid', 'outlet-uuid'), {
    kind: 'outlet',
    phone_number_id: '123456789',
    access_token: 'EAAG...',
  });
  fake.answer({ status: 404, body: { error: 'not_found' } });
  assert.deepEqual(await service.findOutlet('tenant-uuid', 'a b'), { kind: 'unknown' });
  assert.deepEqual(fake.asked, [
    'GET /api/v1/tenants/tenant-uuid/quota/check as tenant-uuid',
    'GET /api/v1/tenants/a%2F%C3%BC/quota/check as a%2F%C3%BC',
    'GET /api/v1/outlets/outlet-uuid as tenant-uuid',
    'GET /api/v1/outlets/a%20b as tenant-uuid',
  ]);
});

test('a name that a path takes for a step is nobody, and nobody is asked', async () => {
  const service = tenantService(fake.url, 2000);
  const { length } = fake.asked;
  for (const name of ['.', '..', '%2e%2E', '.%2e', 'half \ud800']) {
    assert.deepEqual(await service.findOutlet('t', name), { kind: 'unknown' });
  }
  assert.equal(fake.asked.length, length);
});

test('what is no answer is told apart from one', async () => {
  const service = tenantService(fake.url, 2000);
  const right = { id: 'o', waba_phone_number_id: '1', waba_access_token: 'T' };
  const wrong: { status?: number; body: unknown }[] = [
    { body: '<html>Welcome</html>' },
    { body: '' },
    { body: 'null' },
    { body: [] },
    { body: {} },
    { body: { can_send_message: 'true' } },
    { status: 500, body: { can_send_message: false, ...right } },
    { status: 302, body: { can_send_message: true, ...right } },
    { body: { ...right, waba_phone_number_id: 1 } },
    { body: { ...right, waba_phone_number_id: '../me' } },
    { body: { ...right, waba_access_token: 'a\r\nHost: b' } },
    { body: { ...right, waba_access_token: null } },
    { body: { ...right, id: 'another' } },
  ];
  for (const reply of wrong) {
    fake.answer(reply);
    assert.equal((await service.checkQuota('t')).kind, 'none', JSON.stringify(reply));
    assert.equal((await service.findOutlet('t', 'o')).kind, 'none', JSON.stringify(reply));
  }
  fake.answer({ status: 404, body: { can_send_message: true } });
  assert.equal((await service.checkQuota('t')).kind, 'none');
});

test('one that is slow or away is no answer, and one that is back is', async () => {
  const service = tenantService(fake.url, 100);
  const late = Promise.withResolvers<void>();
  fake.answer({ body: { can_send_message: false }, when: late.promise });
  assert.equal((await service.checkQuota('t')).kind, 'none');
  late.resolve();
  await fake.down();
  assert.equal((await service.checkQuota('t')).kind, 'none');
  await fake.up();
  fake.answer({ body: { can_send_message: false } });
  // A machine that is slow itself may need more than the time-out above.
  assert.deepEqual(await tenantService(fake.url, 5000).checkQuota('t'), { kind: 'quota', allowed: false, reason: '' });
});
