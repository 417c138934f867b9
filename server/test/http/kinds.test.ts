import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newPhone } from '../engine-world.ts';
import { type Customer, type DoorWorld, doorWorld } from './door-world.ts';

/* Each kind of message that can be sent: what the request says, what is kept of it, and what the defaults make of the rest. */

let world: DoorWorld;
let customer: Customer;
before(async () => {
  world = await doorWorld();
  customer = await world.customer();
});
after(() => world.close());

const template = {
  name: 'order_sent',
  language: 'pt_BR',
  components: [{ type: 'body', parameters: [{ type: 'text', text: '7 €' }] }],
};
const url = 'https://example.com/files/a';
const soon = new Date(Date.now() + 3_600_000).toISOString();
const later = new Date(Date.now() + 7_200_000).toISOString();

const KINDS: { what: string; asked: object; kept: object }[] = [
  {
    what: 'a text by itself',
    asked: { content: { text: 'Olá, {name}! 👋' }, variables: { name: 'Ana' } },
    kept: { type: 'text', content: { text: 'Olá, Ana! 👋' }, template: null, category: 'service', priority: 'normal' },
  },
  {
    what: 'a template',
    asked: { template },
    kept: { type: 'template', content: null, template, category: 'marketing', priority: 'normal' },
  },
  {
    what: 'a template for a code, with what is shown of it',
    asked: { type: 'template', template, category: 'authentication', content: { text: 'Code {code}' } },
    kept: {
      type: 'template',
      content: { text: 'Code {code}' },
      template,
      category: 'authentication',
      priority: 'high',
    },
  },
  {
    what: 'an image by its extension, the text as caption',
    asked: { content: { media_url: `${url}.jpg?w=9`, text: 'For {n}' }, variables: { n: 2 } },
    kept: { type: 'image', content: { media_url: `${url}.jpg?w=9`, text: 'For 2' }, category: 'service' },
  },
  {
    what: 'a video by its type',
    asked: { type: 'video', content: { media_url: url } },
    kept: { type: 'video', content: { media_url: url } },
  },
  {
    what: 'a sound',
    asked: { content: { media_url: `${url}.ogg` } },
    kept: { type: 'audio', content: { media_url: `${url}.ogg` } },
  },
  {
    what: 'a document with a name, of any file that has one',
    asked: { type: 'document', content: { media_url: `${url}.png`, filename: 'Plan.png' } },
    kept: { type: 'document', content: { media_url: `${url}.png`, filename: 'Plan.png' } },
  },
  {
    what: 'an answer with data of the customer, urgent and not for long',
    asked: {
      content: { text: 'x' },
      reply_to: 'wamid.HBg=',
      metadata: { order: { n: 7, tags: ['a', null] } },
      priority: 'high',
      category: 'utility',
      scheduled_at: soon.replace('Z', '+00:00'),
      expires_at: later,
    },
    kept: {
      reply_to: 'wamid.HBg=',
      metadata: { order: { n: 7, tags: ['a', null] } },
      priority: 'high',
      category: 'utility',
      scheduled_at: soon,
      expires_at: later,
    },
  },
];

for (const { what, asked, kept } of KINDS) {
  test(what, async () => {
    const to = newPhone();
    const { status, body: answer } = await customer.post('/api/v1/messages', { to, ...asked });
    assert.equal(status, 202, answer.message);
    const { body: message } = await customer.get(`/api/v1/messages/${answer.id}`);
    for (const [name, value] of Object.entries({ to, direction: 'outbound', state: 'queued', ...kept })) {
      assert.deepEqual(message[name], value, name);
    }
  });
}

test('a business-scoped user id is an addressee like a number', async () => {
  const { status, body } = await customer.post('/api/v1/messages', { to: 'ID.1A2b3C', content: { text: 'x' } });
  assert.deepEqual([status, body['to']], [202, 'ID.1A2b3C']);
  const { body: again } = await customer.post('/api/v1/messages', {
    recipient_phone: 'ID.1A2b3C',
    content: { text: 'y' },
  });
  assert.equal(again['conversation_id'], body['conversation_id']);
});
