import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messagePayload } from '../../src/channels/whatsapp/payload.ts';
import type { Attempt } from '../../src/domain/channel.ts';
import { type MessageId, newId } from '../../src/domain/ids.ts';

const attempt: Attempt = {
  message_id: newId<MessageId>(),
  attempt: 1,
  started_at: 0,
  type: 'text',
  address: '+6281234567890',
  content: { text: 'Hello' },
  template: null,
  reply_to: null,
};
const link = 'https://files.example/a.pdf';
const common = {
  messaging_product: 'whatsapp',
  recipient_type: 'individual',
  to: '+6281234567890',
  biz_opaque_callback_data: 'mark',
};
const payload = (change: Partial<Attempt>) =>
  JSON.parse(JSON.stringify(messagePayload({ ...attempt, ...change }, 'mark')));

test('each type has its body [sent text] [sent image] [sent video] [sent audio] [sent document] [sent sticker] [sent location] [sent contacts] [sent reaction] [sent template]', () => {
  const components = [{ type: 'body', parameters: [{ type: 'text', text: 'Ana' }] }];
  const bodies: [change: Partial<Attempt>, body: object][] = [
    [{}, { text: { body: 'Hello' } }],
    [{ type: 'image', content: { media_url: link, text: 'See' } }, { image: { link, caption: 'See' } }],
    [{ type: 'video', content: { media_url: link } }, { video: { link } }],
    // Audio takes no caption, and only a document has a name.
    [{ type: 'audio', content: { media_url: link, text: 'lost' } }, { audio: { link } }],
    [{ type: 'image', content: { media_url: link, filename: 'a.png' } }, { image: { link } }],
    [
      { content: { text: 'https://a.example', preview_url: true } },
      { text: { body: 'https://a.example', preview_url: true } },
    ],
    [{ type: 'audio', content: { media_url: link, voice: true } }, { audio: { link, voice: true } }],
    [{ type: 'sticker', content: { media_url: link } }, { sticker: { link } }],
    // A file of ours goes by the id that the provider gave it.
    [
      { type: 'image', content: { media_id: 'ours', text: 'See' }, provider_media_id: '77' },
      { image: { id: '77', caption: 'See' } },
    ],
    [
      { type: 'location', content: { location: { latitude: 1.5, longitude: -2 } } },
      { location: { latitude: 1.5, longitude: -2 } },
    ],
    [
      { type: 'contacts', content: { contacts: [{ name: { formatted_name: 'Ana B', first_name: 'Ana' } }] } },
      { contacts: [{ name: { formatted_name: 'Ana B', first_name: 'Ana' } }] },
    ],
    [
      { type: 'reaction', content: { reaction: { message_id: 'ours', emoji: '👍', whatsapp_message_id: 'wamid.A' } } },
      { reaction: { message_id: 'wamid.A', emoji: '👍' } },
    ],
    [
      { type: 'reaction', content: { reaction: { message_id: 'wamid.B', emoji: '' } } },
      { reaction: { message_id: 'wamid.B', emoji: '' } },
    ],
    [
      { type: 'interactive', content: { interactive: { type: 'location_request_message', body: { text: 'Where?' } } } },
      { interactive: { type: 'location_request_message', body: { text: 'Where?' } } },
    ],
    [
      { type: 'document', content: { media_url: link, text: 'See', filename: 'a.pdf' } },
      { document: { link, caption: 'See', filename: 'a.pdf' } },
    ],
    [
      { type: 'template', content: null, template: { name: 'hi', language: 'en_US' } },
      { template: { name: 'hi', language: { code: 'en_US' } } },
    ],
    [
      { type: 'template', template: { name: 'hi', language: 'id', components } },
      { template: { name: 'hi', language: { code: 'id' }, components } },
    ],
  ];
  for (const [change, body] of bodies) {
    assert.deepEqual(payload(change), { ...common, type: change.type ?? 'text', ...body });
  }
});

test('a business-scoped user id is a recipient, not a number', () => {
  const { to, recipient } = payload({ address: 'ID.1234567890' });
  assert.deepEqual({ to, recipient }, { to: undefined, recipient: 'ID.1234567890' });
});

test('an answer names the message it is to', () => {
  assert.deepEqual(payload({ reply_to: 'wamid.A' }).context, { message_id: 'wamid.A' });
});
