import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EVENT_TYPES } from '../../src/domain/event-catalogue.ts';
import { newId } from '../../src/domain/ids.ts';
import { type EventFilter, isEventPattern, urlFlaw, wants } from '../../src/domain/webhook-endpoint.ts';

const ALL: EventFilter = { event_types: null, sender_ids: null, conversation_ids: null };

test('a filter wants what each of its lists names; what is of no sender is not of a named one', () => {
  const [sender_id, conversation_id] = [newId<never>(), newId<never>()];
  const event = { event_type: 'message.sent', sender_id, conversation_id };
  assert.ok(wants(ALL, event));
  assert.ok(
    wants(
      { event_types: ['chat.*', 'message.*'], sender_ids: [sender_id], conversation_ids: [conversation_id] },
      event,
    ),
  );
  for (const other of [
    { event_types: ['message.read'] },
    { event_types: ['mess.*'] },
    { sender_ids: [newId<never>()] },
    { conversation_ids: [newId<never>()] },
  ]) {
    assert.ok(!wants({ ...ALL, ...other }, event), JSON.stringify(other));
  }
  assert.ok(!wants({ ...ALL, sender_ids: [sender_id] }, { ...event, sender_id: null }));
  assert.ok(!wants({ ...ALL, conversation_ids: [conversation_id] }, { ...event, conversation_id: null }));
});

test('a pattern is wanted where the catalogue knows it, and only there', () => {
  for (const type of EVENT_TYPES) {
    assert.ok(isEventPattern(type) && isEventPattern(type.replace(/\..*/, '.*')), type);
    assert.ok(wants({ ...ALL, event_types: ['*'] }, { event_type: type, sender_id: null, conversation_id: null }));
  }
  for (const one of ['', 'message', 'message.', 'message.s*', '*.sent', 'mesage.*', 'message.sent.now', '.*']) {
    assert.ok(!isEventPattern(one), one);
  }
});

test('addresses that cannot be posted to', () => {
  for (const one of ['https://a.example', 'http://a.example:8080/x?y=z']) assert.equal(urlFlaw(one), null);
  for (const one of [
    '',
    '/x',
    'a.example',
    'ftp://a.example',
    'https://u@a.example',
    'https://u:p@a.example',
    'https://a.example/#x',
    `https://a.example/${'x'.repeat(2048)}`,
  ]) {
    assert.notEqual(urlFlaw(one), null, one);
  }
});
