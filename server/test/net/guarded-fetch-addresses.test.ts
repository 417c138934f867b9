import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressGuard } from '../../src/net/guarded-fetch-addresses.ts';

const REFUSED = [
  '0.0.0.0',
  '0.1.2.3',
  '10.0.0.1',
  '100.64.0.1',
  '100.100.100.200',
  '127.0.0.1',
  '127.255.255.254',
  '168.63.129.16',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.192',
  '192.0.2.1',
  '192.88.99.1',
  '192.168.1.1',
  '198.18.0.1',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::ffff:8.8.8.8',
  '::8.8.8.8',
  '64:ff9b::a9fe:a9fe',
  '64:ff9b::8.8.8.8',
  '64:ff9b:1::1',
  '100::1',
  '2001::1',
  '2001:0:4136:e378:8000:63bf:3fff:fdd2',
  '2001:db8::1',
  '2002:7f00:1::',
  '2002:a9fe:a9fe::1',
  '3fff::1',
  'fc00::1',
  'fd00:ec2::254',
  'fe80::1',
  'fe80::1%1',
  'fec0::1',
  'ff02::1',
  'not an address',
];

const PUBLIC = ['1.1.1.1', '8.8.8.8', '100.63.255.255', '100.128.0.1', '172.32.0.1', '193.0.0.1', '2606:4700::1111'];

test('only public addresses may be called, in whatever form another is written', () => {
  const guard = addressGuard([]);
  for (const address of REFUSED) assert.notEqual(guard.objection(address), null, address);
  for (const address of PUBLIC) assert.equal(guard.objection(address), null, address);
  assert.equal(guard.trusts('localhost'), false);
});

test('an operator allows names, addresses and ranges, and nothing beside them', () => {
  const guard = addressGuard(['hooks.internal', '127.0.0.1', '10.1.0.0/16', '::1', 'fd00::/8']);
  for (const address of ['127.0.0.1', '10.1.255.1', '::1', 'fd12::1', '8.8.8.8']) {
    assert.equal(guard.objection(address), null, address);
  }
  for (const address of ['127.0.0.2', '10.2.0.1', 'fc00::1', '::ffff:127.0.0.1', '::ffff:7f00:1']) {
    assert.notEqual(guard.objection(address), null, address);
  }
  assert.ok(guard.trusts('hooks.internal') && guard.trusts('HOOKS.internal.'));
  assert.ok(!guard.trusts('a.hooks.internal') && !guard.trusts('127.0.0.1'));
});

test('what is no network is told', () => {
  for (const item of ['10.0.0.0/33', '::/129', 'name/8', '10.0.0.0/', '10.0.0.0/8/8x']) {
    assert.throws(() => addressGuard([item]), RangeError, item);
  }
});
