import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { type MediaId, newId } from '../../src/domain/ids.ts';
import { deleteMedia } from '../../src/store/media.write.ts';
import { newPhone, readLog } from '../engine-world.ts';
import { assertSound } from '../soundness.ts';
import { type Answer, type Customer, type DoorWorld, doorWorld } from './door-world.ts';

let world: DoorWorld;
let own: Customer;
before(async () => {
  world = await doorWorld();
});
after(async () => {
  await assertSound(world.db);
  await world.close();
});
beforeEach(async () => {
  own = await world.customer();
});

const send = (body: object) => own.post('/api/v1/messages', { to: newPhone(), ...body });
const refusal = ({ status, body }: Answer) => [status, body.error, body.details?.field];

async function stored(): Promise<number> {
  const count = { name: 'test_stored', text: 'select count(*)::int as n from messages where tenant_id = $1' };
  return (await world.db.query<{ n: number }>(count, [own.tenant]))[0]?.n ?? -1;
}

const place = { latitude: -6.2, longitude: 106.8, name: 'Monas', address: 'Jakarta' };
const card = {
  name: { formatted_name: 'Ana B', first_name: 'Ana' },
  phones: [{ phone: '+6281234567890', wa_id: '62' }],
};
const choices = {
  type: 'button',
  body: { text: 'Tea or {other}?' },
  action: { buttons: [{ type: 'reply', reply: { id: 'tea', title: 'Tea' } }] },
};

test('each type is stored as it was asked for', async () => {
  const cases: [type: string, asked: object, content: object][] = [
    [
      'text',
      { content: { text: 'https://a.example', preview_url: false } },
      { text: 'https://a.example', preview_url: false },
    ],
    [
      'sticker',
      { type: 'sticker', content: { media_url: 'https://a.example/a.webp' } },
      { media_url: 'https://a.example/a.webp' },
    ],
    [
      'audio',
      { content: { media_url: 'https://a.example/a.ogg', voice: true } },
      { media_url: 'https://a.example/a.ogg', voice: true },
    ],
    ['location', { content: { location: place } }, { location: place }],
    ['contacts', { type: 'contacts', content: { contacts: [card] } }, { contacts: [card] }],
    [
      'reaction',
      { content: { reaction: { message_id: 'wamid.A', emoji: '👍' } } },
      { reaction: { message_id: 'wamid.A', emoji: '👍', whatsapp_message_id: 'wamid.A' } },
    ],
    [
      'interactive',
      { content: { interactive: choices }, variables: { other: 'coffee' } },
      { interactive: { ...choices, body: { text: 'Tea or coffee?' } } },
    ],
  ];
  for (const [type, asked, content] of cases) {
    const { status, body } = await send(asked);
    assert.equal(status, 202, JSON.stringify(body));
    const read = await own.get(`/api/v1/messages/${body.id}`);
    assert.deepEqual([body.type, read.body.type, read.body.content], [type, type, content]);
  }
  const listed = await own.get('/api/v1/messages?type=location');
  assert.equal(listed.body.messages.length, 1);
});

test('what WhatsApp would not take is refused with field and limit, and nothing of it is stored', async () => {
  const long = { ...choices, body: { text: 'x'.repeat(1025) } };
  const { status, body } = await send({ content: { interactive: long } });
  assert.deepEqual(
    [status, body.error, body.details],
    [400, 'invalid_field', { field: 'content.interactive.body.text', limit: 1024 }],
  );
  const cases: [object, unknown[]][] = [
    [{ content: { location: { latitude: 91, longitude: 0 } } }, [400, 'invalid_field', 'content.location.latitude']],
    [{ content: { location: { latitude: 9 } } }, [400, 'missing_field', 'content.location.longitude']],
    [{ content: { location: { ...place, zoom: 1 } } }, [400, 'unknown_field', 'content.location.zoom']],
    [{ content: { contacts: [{ ...card, nick: 'A' }] } }, [400, 'unknown_field', 'content.contacts[0].nick']],
    [{ content: { contacts: ['Ana'] } }, [400, 'invalid_field', 'content.contacts[0]']],
    [{ content: { sticker: 'x' } }, [400, 'unknown_field', 'content.sticker']],
    [{ type: 'poll', content: { text: 'x' } }, [400, 'unsupported_type', 'type']],
    [{ type: 'location', content: { text: 'x' } }, [400, 'missing_field', 'content.location']],
    [{ content: { media_id: 'nothing of ours' } }, [400, 'invalid_field', 'content.media_id']],
    [{ content: { media_id: newId() } }, [400, 'invalid_field', 'content.media_id']],
    [
      { content: { text: 'x' }, fallback_template: { name: 'a' } },
      [400, 'missing_field', 'fallback_template.language'],
    ],
    [{ content: { interactive: { type: 'poll' } } }, [400, 'unsupported_type', 'content.interactive.type']],
  ];
  for (const [asked, expected] of cases) assert.deepEqual(refusal(await send(asked)), expected, JSON.stringify(asked));
  assert.equal(await stored(), 0);
});

test('a reaction names a message of ours that has reached WhatsApp, or the id of WhatsApp', async () => {
  const queued = await own.accept();
  const reaction = (message_id: string) => send({ content: { reaction: { message_id, emoji: '🎉' } } });
  assert.deepEqual(refusal(await reaction(queued)), [400, 'invalid_field', 'content.reaction.message_id']);
  const left = await own.sending();
  await own.settle(left, { kind: 'sent', wamid: 'wamid.left' });
  const { body } = await reaction(left.message_id);
  const read = await own.get(`/api/v1/messages/${body.id}`);
  assert.deepEqual(read.body.content, {
    reaction: { message_id: left.message_id, emoji: '🎉', whatsapp_message_id: 'wamid.left' },
  });
});

test('a file of ours tells its type; a file of somebody else is none', async () => {
  const file = newId();
  await world.db.script(`
    insert into media (tenant_id, id, sha256, size, mime_type, kind, source)
    values ('${own.tenant}', '${file}', sha256('${file}'), 5, 'image/png', 'image', 'upload')`);
  const { status, body } = await send({ content: { media_id: file, text: 'See' } });
  assert.deepEqual([status, body.type], [202, 'image']);
  const read = await own.get(`/api/v1/messages/${body.id}`);
  assert.deepEqual(read.body.content, { text: 'See', media_id: file });
  const references = {
    name: 'test_references',
    text: 'select media_id, kind from media_references where tenant_id = $1',
  };
  assert.deepEqual(await world.db.query<object>(references, [own.tenant]), [{ media_id: file, kind: 'image' }]);
  assert.deepEqual(refusal(await send({ type: 'video', content: { media_id: file } })), [400, 'invalid_field', 'type']);
  const kept = await send({ template: { name: 'hi', language: 'en' }, content: { media_id: 'kept as it is' } });
  assert.equal(kept.status, 202);
  own = await world.customer();
  assert.deepEqual(refusal(await send({ content: { media_id: file } })), [400, 'invalid_field', 'content.media_id']);
});

test('files of ours in headers, cards and fallbacks are looked for as those of the content are, and kept while a message needs them', async () => {
  const [image, video, pdf] = [newId<MediaId>(), newId<MediaId>(), newId<MediaId>()];
  await world.db.script(`
    insert into media (tenant_id, id, sha256, size, mime_type, kind, source, filename) values
      ('${own.tenant}', '${image}', sha256('${image}'), 5, 'image/png', 'image', 'upload', 'a.png'),
      ('${own.tenant}', '${video}', sha256('${video}'), 5, 'video/mp4', 'video', 'upload', null),
      ('${own.tenant}', '${pdf}', sha256('${pdf}'), 5, 'application/pdf', 'document', 'upload', 'Offer.pdf')`);
  const header = (as: string, id: string) => ({ type: 'header', parameters: [{ type: as, [as]: { id } }] });
  const template = (...components: object[]) => ({ name: 'hi', language: 'en', components });
  const buttons = (as: string, id: string) => ({
    type: 'button',
    header: { type: as, [as]: { id } },
    body: { text: 'Which?' },
    action: { buttons: [{ type: 'reply', reply: { id: '1', title: 'One' } }] },
  });
  const place = 'components[0].parameters[0].image.id';
  const bad: [Record<string, unknown>, string][] = [
    [{ template: template(header('image', newId())) }, `template.${place}`],
    [{ template: template(header('image', video)) }, `template.${place}`],
    [{ content: { text: 'x' }, fallback_template: template(header('image', newId())) }, `fallback_template.${place}`],
    [{ content: { interactive: buttons('video', newId()) } }, 'content.interactive.header.video.id'],
    [{ content: { interactive: buttons('video', image) } }, 'content.interactive.header.video.id'],
  ];
  for (const [asked, field] of bad) assert.deepEqual(refusal(await send(asked)), [400, 'invalid_field', field]);
  const cards = { type: 'carousel', cards: [{ components: [header('video', video)] }] };
  const good = [
    { template: template(header('image', image), cards) },
    { content: { interactive: buttons('document', pdf) } },
    { content: { text: 'x' }, fallback_template: template(header('document', pdf)) },
    // The provider's own ids are passed on.
    { template: template(header('image', '4711')) },
  ];
  const many = await own.post('/api/v1/messages/batch', {
    messages: good.map((asked) => ({ recipient_phone: newPhone(), ...asked })),
  });
  assert.equal(many.status, 202, JSON.stringify(many.body));
  const references = {
    name: 'test_named_references',
    text: 'select media_id, kind, place from media_references where tenant_id = $1 order by message_id, place',
  };
  assert.deepEqual(await world.db.query<object>(references, [own.tenant]), [
    { media_id: image, kind: 'image', place: 1 },
    { media_id: video, kind: 'video', place: 2 },
    { media_id: pdf, kind: 'document', place: 1 },
    { media_id: pdf, kind: 'document', place: 1 },
  ]);
  for (const id of [image, video, pdf]) assert.equal(await deleteMedia(world.db, own.tenant, id), 'in_use');
  const document = await send({ content: { media_id: pdf } });
  const read = await own.get(`/api/v1/messages/${document.body.id}`);
  assert.deepEqual(read.body.content, { media_id: pdf, filename: 'Offer.pdf' });
});

/** An account whose templates were read, with one template. */
async function withTemplate(status: string, category: string): Promise<string> {
  const account = String(Date.now() + Math.floor(Math.random() * 1e6));
  const id = newId();
  await world.db.script(`
    update senders set account_id = '${account}' where tenant_id = '${own.tenant}';
    insert into accounts (tenant_id, id, app_id, access_token_sealed, templates_synced_at)
    values ('${own.tenant}', '${account}', 'default', 'sealed', now());
    insert into templates (tenant_id, account_id, id, name, language, status, category, components)
    values ('${own.tenant}', '${account}', '${id}', 'order', 'en', '${status}', '${category}',
      '[{"type": "BODY", "text": "Order {{1}}"}]')`);
  return id;
}

const order = (...texts: string[]) => ({
  name: 'order',
  language: 'en',
  components: [{ type: 'body', parameters: texts.map((text) => ({ type: 'text', text })) }],
});

test('a template is checked against what it asks for, and gives the message its category [sent template]', async () => {
  const id = await withTemplate('APPROVED', 'utility');
  const { status, body } = await send({ template: order('A17') });
  assert.equal(status, 202, JSON.stringify(body));
  assert.equal((await own.get(`/api/v1/messages/${body.id}`)).body['category'], 'utility');
  // Once more, from what is remembered.
  assert.equal((await send({ template: order('A18') })).status, 202);
  const due = { name: 'test_due', text: 'select distinct template_id, held from due where tenant_id = $1' };
  assert.deepEqual(await world.db.query<object>(due, [own.tenant]), [{ template_id: id, held: null }]);
  const cases: [object, unknown[]][] = [
    [{ template: order() }, [400, 'invalid_field']],
    [{ template: { name: 'other', language: 'en' } }, [400, 'unknown_template', 'template']],
    [{ template: order('A'), category: 'marketing' }, [400, 'invalid_field', 'category']],
    [
      { content: { text: 'x' }, fallback_template: { name: 'other', language: 'en' } },
      [400, 'unknown_template', 'fallback_template'],
    ],
  ];
  for (const [asked, [code, error, field]] of cases) {
    const answer = await send(asked);
    assert.deepEqual([answer.status, answer.body.error], [code, error]);
    if (field !== undefined) assert.equal(answer.body.details?.field, field);
  }
  const to = newPhone();
  const batch = await own.post('/api/v1/messages/batch', {
    messages: [
      { to, template: order('A') },
      { to, template: { name: 'other', language: 'en' } },
      { to, template: order() },
    ],
  });
  assert.deepEqual(
    [batch.body.accepted, batch.body.errors.map(({ index, error }) => [index, error])],
    [
      1,
      [
        [1, 'unknown_template'],
        [2, 'invalid_field'],
      ],
    ],
  );
});

test('a code goes to no business-scoped user id', async () => {
  await withTemplate('APPROVED', 'authentication');
  const { status, body } = await send({ to: 'ID.1A2b3C', template: order('1234') });
  assert.deepEqual([status, body.error], [400, 'invalid_field']);
  assert.equal((await send({ template: order('1234') })).body['state'], 'queued');
});

test('a paused template holds its messages, also those of a batch that is stored in parts', async () => {
  const id = await withTemplate('PAUSED', 'utility');
  assert.equal((await send({ template: order('A') })).status, 202);
  const messages = [{ to: newPhone(), template: order('B') }];
  const batch = await own.post('/api/v1/messages/batch', { messages }, { 'idempotency-key': 'held' });
  assert.equal(batch.body.accepted, 1);
  const due = { name: 'test_held', text: 'select template_id, held from due where tenant_id = $1' };
  const held = { template_id: id, held: 'template' };
  assert.deepEqual(await world.db.query<object>(due, [own.tenant]), [held, held]);
  const { body } = await own.get('/api/v1/messages?limit=10');
  const [newest] = body['messages'] as Record<string, unknown>[];
  assert.deepEqual([newest?.['state'], newest?.['held']], ['queued', 'template']);
  const read = await own.get(`/api/v1/messages/${newest?.['id']}`);
  assert.equal(read.body['held'], 'template');
  const queue = await own.get(`/api/v1/messages/${newest?.['id']}`, { 'x-api-case': 'camel' });
  assert.equal((queue.body['data'] as Record<string, unknown>)['held'], 'template');
  await own.post(`/api/v1/messages/${newest?.['id']}/cancel`);
  assert.equal((await own.get(`/api/v1/messages/${newest?.['id']}`)).body['held'], null, 'it waits no more');
  for (const { data } of await readLog(world.db, own.tenant, 3)) assert.ok(!('held' in data));
});

/** A customer of ours whose window is over. */
async function silentCustomer(): Promise<{ to: string; conversation: string }> {
  const to = newPhone();
  const { body } = await own.post('/api/v1/messages', { to, content: { text: 'first' } });
  await world.db.script(
    `update conversations set window_expires_at = now() - interval '1 minute' where tenant_id = '${own.tenant}'`,
  );
  return { to, conversation: String(body['conversation_id']) };
}

test('outside the window: refused, or the fallback, on each way in', async () => {
  const { to, conversation } = await silentCustomer();
  const content = { text: 'Hello' };
  const fallback_template = { name: 'come_back', language: 'en' };
  const paths = [
    ['/api/v1/messages', { to }],
    ['/api/v1/messages', { conversation_id: conversation }],
    ['/api/v1/messages/send', { to }],
  ] as const;
  for (const [path, addressee] of paths) {
    const { status, body } = await own.post(path, { ...addressee, content });
    assert.deepEqual([status, body.error], [409, 'window_closed']);
  }
  const { status, body } = await own.post('/api/v1/messages', { to, content, fallback_template });
  assert.deepEqual([status, body.type, body['warnings']], [202, 'template', ['sent_as_template']]);
  const read = (await own.get(`/api/v1/messages/${body.id}`)).body;
  assert.deepEqual([read.type, read['content'], read['template']], ['template', content, fallback_template]);
  const batch = await own.post('/api/v1/messages/batch', {
    messages: [
      { to, content },
      { to, content, fallback_template },
    ],
  });
  assert.deepEqual(
    [batch.body.errors.map(({ index, error }) => [index, error]), batch.body['messages'].map(({ index }) => index)],
    [[[0, 'window_closed']], [1]],
  );
  assert.deepEqual((batch.body.messages[0] as unknown as { warnings: string[] }).warnings, ['sent_as_template']);
  await world.db.script(`update senders set outside_window = 'send' where tenant_id = '${own.tenant}'`);
  world.signals.notify('senders');
  await new Promise((resolve) => setImmediate(resolve));
  const sent = await own.post('/api/v1/messages', { to, content, fallback_template });
  assert.deepEqual([sent.status, sent.body.type, sent.body['warnings']], [202, 'text', []]);
});

test('a repeat that would be refused now is warned of as the first time', async () => {
  const { to } = await silentCustomer();
  await withTemplate('APPROVED', 'utility');
  world.signals.notify('senders');
  await new Promise((resolve) => setImmediate(resolve));
  const asked = { to, content: { text: 'Hello' }, fallback_template: order('A') };
  const first = await own.post('/api/v1/messages', asked, { 'idempotency-key': 'repeat' });
  assert.deepEqual([first.status, first.body['warnings']], [202, ['sent_as_template']]);
  await world.db.script(`update templates set status = 'REJECTED' where tenant_id = '${own.tenant}'`);
  world.signals.notify('templates');
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal((await own.post('/api/v1/messages', asked)).body.error, 'template_unavailable');
  const again = await own.post('/api/v1/messages', asked, { 'idempotency-key': 'repeat' });
  assert.deepEqual([again.status, again.body], [202, first.body]);
});

test('who opted out is not written to, on each way in', async () => {
  const { to } = await silentCustomer();
  await world.db.script(`update contact_identities set suppressed = 2 where tenant_id = '${own.tenant}'`);
  for (const path of ['/api/v1/messages', '/api/v1/messages/send']) {
    const { status, body } = await own.post(path, { to, template: { name: 'offer', language: 'en' } });
    assert.deepEqual([status, body.error], [409, 'recipient_suppressed']);
  }
});

test('the other dialect has its words for the new types', async () => {
  const answer = await own.post(
    '/api/v1/messages',
    {
      to: newPhone(),
      type: 'Location',
      content: { location: place },
      fallbackTemplate: { name: 'come_back', language: 'en' },
    },
    { 'x-api-case': 'camel' },
  );
  const { data } = answer.body as unknown as { data: { id: string; type: string } };
  assert.deepEqual([answer.status, data.type], [202, 'Location']);
  const read = await own.get(`/api/v1/messages/${data.id}`, { 'x-api-case': 'camel' });
  const shown = (read.body as unknown as { data: Record<string, unknown> }).data;
  assert.deepEqual([shown['type'], shown['content'], shown['contentDetails']], ['Location', '', { location: place }]);
  const sticker = await own.post('/api/v1/messages', {
    whatsappAccountId: own.sender,
    to: newPhone(),
    type: 'Sticker',
    content: '',
    mediaUrl: 'https://a.example/a.webp',
  });
  assert.equal(sticker.status, 202, JSON.stringify(sticker.body));
});
