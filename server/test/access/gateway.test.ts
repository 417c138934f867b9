import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGateway } from '../../src/access/gateway.ts';

test('addresses and ranges are gateways, in every spelling, and no others', () => {
  const { admits } = createGateway(['10.1.0.0/16', '192.168.7.9', 'fd00:1::/32', '::1'], 'acme');
  for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '192.168.7.9', 'fd00:1:2::3', '::1', '0:0:0:0:0:0:0:1']) {
    assert.ok(admits(address), address);
  }
  for (const address of [
    '10.2.0.1',
    '::ffff:10.2.0.1',
    '192.168.7.8',
    'fd00:2::1',
    '127.0.0.1',
    '',
    'localhost',
    '10.1',
  ]) {
    assert.equal(admits(address), false, address);
  }
  assert.equal(admits(undefined), false, 'a Unix socket has no address');
  assert.equal(createGateway([], 'acme').admits('127.0.0.1'), false);
});
