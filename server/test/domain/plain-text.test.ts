import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plainText } from '../../src/domain/content/plain-text.ts';
import type { Content } from '../../src/domain/message.ts';

test('what a message says in one line, whatever it is', () => {
  const template = { name: 'offer', language: 'en' };
  const place = { latitude: -6.2, longitude: 106.8 };
  const name = { formatted_name: 'Ana B', first_name: 'Ana' };
  const cases: [Content | null, string][] = [
    [{ text: 'Hello', media_url: 'https://a.example/a.png' }, 'Hello'],
    [{ media_url: 'https://a.example/a.png' }, 'https://a.example/a.png'],
    [{ media_id: 'id', filename: 'Bill.pdf' }, 'Bill.pdf'],
    [{ location: { ...place, name: 'Monas', address: 'Jakarta' } }, 'Monas, Jakarta'],
    [{ location: place }, '-6.2, 106.8'],
    [{ contacts: [{ name }, { name: { formatted_name: 'Budi' } }] }, 'Ana B, Budi'],
    [{ reaction: { message_id: 'wamid.A', emoji: '👍' } }, '👍'],
    [{ interactive: { type: 'button', body: { text: 'Tea?' } } }, 'Tea?'],
    [{ interactive: { type: 'product' } }, 'product'],
    [null, ''],
  ];
  for (const [content, text] of cases) assert.equal(plainText(content, null), text);
  assert.equal(plainText(null, template), 'offer');
  assert.equal(plainText({ text: 'Hi' }, template), 'Hi');
});
