import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Acted, type ActedOn, changeByActs } from '../../src/domain/inbound-acts.ts';

const AT = Date.parse('2026-11-01T12:00:00Z');
const FRESH: ActedOn = { content: { text: 'One' }, reactions: null, edited_at: null, deleted_at: null };
const ANA = { by: 'ana', from: '+16505551234' };

const react = (emoji: string | null, at: number, by = ANA): Acted => ({
  act: { kind: 'reaction', target: 'wamid.A', emoji },
  ...by,
  at,
});
const edit = (text: string | null, at: number): Acted => ({
  act: { kind: 'edit', target: 'wamid.A', text },
  ...ANA,
  at,
});
const revoke = (at: number): Acted => ({ act: { kind: 'revoke', target: 'wamid.A' }, ...ANA, at });

/** The message after acts. */
function after(message: ActedOn, acts: readonly Acted[]): ActedOn {
  const change = changeByActs(message, acts);
  return {
    content: change.content ?? message.content,
    reactions: change.reactions ?? message.reactions,
    edited_at: change.edited_at === null ? message.edited_at : new Date(change.edited_at),
    deleted_at: change.deleted_at === null ? message.deleted_at : new Date(change.deleted_at),
  };
}

test('one reaction a person, by whichever name; the later one counts, also when it takes the first back', () => {
  const one = after(FRESH, [
    react('👍', AT),
    react('❤️', AT + 1000, { by: 'ana', from: 'US.1' }),
    react('😂', AT, { by: 'ben', from: '+49151' }),
  ]);
  assert.deepEqual(one.reactions, [
    { by: 'ana', from: 'US.1', emoji: '❤️', at: '2026-11-01T12:00:01.000Z' },
    { by: 'ben', from: '+49151', emoji: '😂', at: '2026-11-01T12:00:00.000Z' },
  ]);
  const back = after(one, [react(null, AT + 2000)]);
  assert.deepEqual(back.reactions?.[1], { ...ANA, emoji: null, at: '2026-11-01T12:00:02.000Z' });
  // Told late, and older than what took it back.
  assert.equal(changeByActs(back, [react('👍', AT + 1500)]).reactions, null);
});

test('an edit changes the text and keeps the first one; an older edit that comes late changes nothing', () => {
  const two = after(FRESH, [edit('Two', AT)]);
  assert.deepEqual(two.content, { text: 'Two', original_text: 'One' });
  const three = after(two, [edit('Three', AT + 1)]);
  assert.deepEqual(three.content, { text: 'Three', original_text: 'One' });
  assert.deepEqual(changeByActs(three, [edit('Late', AT)]), {
    content: null,
    reactions: null,
    edited_at: null,
    deleted_at: null,
  });
  const none = after({ ...FRESH, content: { media: { state: 'stored' } } }, [edit(null, AT)]);
  assert.deepEqual(none.content, { media: { state: 'stored' }, original_text: null });
});

test('deleted once, and it stays as it was', () => {
  const gone = after(FRESH, [revoke(AT)]);
  assert.deepEqual([gone.deleted_at, gone.content], [new Date(AT), { text: 'One' }]);
  assert.equal(changeByActs(gone, [revoke(AT + 5)]).deleted_at, null);
});

test('acts of different moments make the same of a message in every order and repetition', () => {
  const acts = fc.array(
    fc.oneof(
      fc.constantFrom('👍', '❤️', null).map((emoji) => (at: number) => react(emoji, at)),
      fc.constantFrom('Two', 'Three').map((text) => (at: number) => edit(text, at)),
    ),
    { minLength: 1, maxLength: 6 },
  );
  fc.assert(
    fc.property(
      acts.chain((made) => {
        const told = made.map((make, i) => make(AT + i));
        return fc.tuple(fc.constant(told), fc.shuffledSubarray([...told, ...told], { minLength: told.length * 2 }));
      }),
      ([told, shuffled]) => {
        const sorted = (message: ActedOn) => ({ ...message, reactions: message.reactions ?? [] });
        assert.deepEqual(sorted(after(FRESH, shuffled)), sorted(after(FRESH, told)));
        assert.deepEqual(
          sorted(shuffled.reduce((message, act) => after(message, [act]), FRESH)),
          sorted(after(FRESH, told)),
        );
      },
    ),
  );
});
