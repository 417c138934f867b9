import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PRIORITIES, priorityName, STATES, statusOf } from '../../src/domain/message.ts';

test('each state has its documented word', () => {
  assert.deepEqual(Object.fromEntries(STATES.map((state) => [state, statusOf(state)])), {
    queued: 'queued',
    sending: 'queued',
    unconfirmed: 'queued',
    sent: 'sent',
    delivered: 'delivered',
    read: 'read',
    played: 'read',
    failed: 'failed',
    cancelled: 'failed',
    expired: 'failed',
  });
});

test('each priority has the name it was given by', () => {
  for (const [name, stored] of Object.entries(PRIORITIES)) assert.equal(priorityName(stored), name);
});
