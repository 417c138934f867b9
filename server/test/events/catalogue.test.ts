import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Compile } from 'typebox/schema';
import { eventsPage, schemaOf } from '../../src/cli/events-page.ts';
import { EVENT_TYPES, type EventType, SOFTWARE_ONLY, typesMatching } from '../../src/domain/event-catalogue.ts';
import { exampleOf } from '../../src/domain/event-examples.ts';

const SOURCES = join(import.meta.dirname, '../../src');

/** The states that statements put behind `message.`: what receipts tell. */
const TOLD_BY_RECEIPT = ['message.sent', 'message.delivered', 'message.read', 'message.played', 'message.failed'];

/** The types of events that statements and actions name. */
function written(): Set<string> {
  const found = new Set<string>();
  for (const room of ['store', 'actions']) {
    for (const file of readdirSync(join(SOURCES, room))) {
      if (room === 'store' && !file.endsWith('.write.ts')) continue;
      const text = readFileSync(join(SOURCES, room, file), 'utf8');
      const named = /'((?:message|conversation|participant|chat|notification|webhook)\.[a-z]+)'/g;
      for (const [, type = ''] of text.matchAll(named)) found.add(type);
      if (text.includes("'message.' || state")) for (const type of TOLD_BY_RECEIPT) found.add(type);
    }
  }
  return found;
}

test('the catalogue has every type that is written, and no other', () => {
  assert.deepEqual([...written()].sort(), [...EVENT_TYPES].sort());
});

test('docs/events.md is made of the catalogue; if not: npm run generate', () => {
  assert.equal(readFileSync(join(SOURCES, '../../docs/events.md'), 'utf8'), eventsPage());
});

test('the example of each type has its schema, and the schema holds more than that it is an object', () => {
  for (const type of EVENT_TYPES) {
    const validator = Compile(schemaOf(type));
    const data = JSON.parse(JSON.stringify(exampleOf(type).data)) as Record<string, unknown>;
    assert.deepEqual(validator.Errors(data)[1], [], type);
    assert.equal(validator.Check({ ...data, more: 1 }), false, `${type}: a field that is not known`);
    for (const name of Object.keys(data)) {
      const { [name]: _, ...less } = data;
      assert.equal(validator.Check(less), false, `${type} without ${name}`);
      assert.equal(validator.Check({ ...data, [name]: () => {} }), false, `${type} with another ${name}`);
    }
  }
});

test('patterns mean types, and what means none is told by none', () => {
  const cases: [string, readonly EventType[]][] = [
    ['*', EVENT_TYPES],
    ['chat.read', ['chat.read']],
    ['participant.*', ['participant.joined', 'participant.changed', 'participant.left']],
    ['part.*', []],
    ['chat', []],
    ['chat.', []],
    ['.*', []],
    ['', []],
    ['message.sending', []],
  ];
  for (const [pattern, types] of cases) assert.deepEqual(typesMatching(pattern), types, pattern);
  assert.deepEqual(SOFTWARE_ONLY, ['notification.offline', 'webhook.disabled']);
});
