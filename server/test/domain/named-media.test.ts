import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId } from '../../src/domain/ids.ts';
import type { Content, Template } from '../../src/domain/message.ts';
import { filesIn, namedMedia, withProviderMedia } from '../../src/domain/named-media.ts';

const message = (type: string, content: Content | null, template: Template | null = null) => ({
  type,
  content,
  template,
});
const [one, two] = [newId(), newId()];

test('a message names the file of its content, a template those of its headers', () => {
  assert.deepEqual(namedMedia(message('text', { text: 'Hi' })), []);
  assert.deepEqual(namedMedia(message('text', null)), []);
  assert.deepEqual(namedMedia(message('image', { media_url: 'https://a.example/b.jpg' })), []);
  assert.deepEqual(namedMedia(message('image', { media_id: one })), [one]);
  const plain = { name: 'a', language: 'en' };
  assert.deepEqual(namedMedia(message('template', { media_id: one }, plain)), [], 'kept for display');
  const header = (kind: string, file: object) => ({ type: 'header', parameters: [{ type: kind, [kind]: file }] });
  const components = [
    header('image', { id: one }),
    header('video', { id: '4711' }),
    header('document', { link: 'https://a.example/b.pdf' }),
    { type: 'body', parameters: [{ type: 'text', text: two }] },
    { type: 'carousel', cards: [{ components: [header('video', { id: two }), header('image', { id: one })] }] },
  ];
  assert.deepEqual(namedMedia(message('template', null, { ...plain, components })), [one, two]);
  assert.deepEqual(filesIn(components), [
    { id: one, as: 'image', path: '[0].parameters[0].image' },
    { id: two, as: 'video', path: '[4].cards[0].components[0].parameters[0].video' },
    { id: one, as: 'image', path: '[4].cards[0].components[1].parameters[0].image' },
  ]);
  // What is too deep to be accepted is not looked through.
  assert.deepEqual(filesIn(JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)), []);
});

test("the provider's ids stand in the places of ours, and nothing else changes", () => {
  const ids = new Map([[one, 'P1']]);
  const image = message('image', { media_id: one, text: 'Look' });
  assert.deepEqual(withProviderMedia(image, ids), { ...image, provider_media_id: 'P1' });
  const template = {
    name: 'a',
    language: 'en',
    components: [{ type: 'header', parameters: [{ type: 'image', image: { id: one, more: 1 } }, null, 7] }],
  };
  const before = structuredClone(template);
  assert.deepEqual(withProviderMedia(message('template', null, template), ids).template, {
    ...template,
    components: [{ type: 'header', parameters: [{ type: 'image', image: { id: 'P1', more: 1 } }, null, 7] }],
  });
  assert.deepEqual(template, before, 'the message itself stays');
  const interactive = { type: 'button', header: { type: 'image', image: { id: one } }, body: { text: one } };
  assert.deepEqual(withProviderMedia(message('interactive', { interactive }), ids).content?.interactive, {
    ...interactive,
    header: { type: 'image', image: { id: 'P1' } },
  });
});
