import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, before, type TestContext, test } from 'node:test';
import { keepMedia } from '../../src/actions/keep-media.ts';
import { whatsappMedia } from '../../src/channels/whatsapp/media-api.ts';
import { createProviderMedia } from '../../src/dispatch/provider-media.ts';
import type { Channel, Prepared, WhatsAppSender } from '../../src/domain/channel.ts';
import { type MediaId, type MessageId, newId } from '../../src/domain/ids.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import { fileClient } from '../../src/net/file-client.ts';
import { type EngineWorld, engineWorld, type TenantWorld } from '../engine-world.ts';
import { SAMPLES } from '../media-samples.ts';
import { type MediaWorld, mediaWorld } from '../media-world.ts';
import { assertSound } from '../soundness.ts';
import { until } from '../until.ts';
import { sendingLoop } from './sending-loop.ts';

let world: EngineWorld;
let media: MediaWorld;
before(async () => {
  world = await engineWorld();
  media = await mediaWorld(world.db);
});
after(async () => {
  await assertSound(world.db);
  await media.close();
  await world.close();
});

/** The provider's side of uploads. */
interface Uploads {
  origin: string;
  /** What came, whole. */
  forms: { path: string; token: string | undefined; form: FormData }[];
  /** Answers one, once it came whole; may wait. Absent: with an id of its own. */
  answer?: (response: ServerResponse, place: number) => unknown;
}

async function uploadServer(t: TestContext): Promise<Uploads> {
  const uploads: Uploads = { origin: '', forms: [] };
  const take = async (request: IncomingMessage, response: ServerResponse) => {
    const body = new Uint8Array(await buffer(request));
    const type = request.headers['content-type'] ?? '';
    const form = await new Response(body, { headers: { 'content-type': type } }).formData();
    uploads.forms.push({ path: request.url ?? '', token: request.headers.authorization, form });
    const place = uploads.forms.length;
    if (uploads.answer) uploads.answer(response, place);
    else response.end(JSON.stringify({ id: `upload-${place}` }));
  };
  const server = createServer((request, response) => void take(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  uploads.origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  return uploads;
}

function providerMedia(t: TestContext, origin: string) {
  const uploader = whatsappMedia({
    client: fileClient({ connections: 16, stall: 30_000 }),
    origin,
    version: 'v26.0',
    timeout: 5000,
    fileTimeout: 30_000,
  });
  t.after(() => uploader.close());
  const logger = { info: () => {}, warn: () => {} };
  return createProviderMedia({ db: world.db, files: media.files, uploader, logger });
}

/** A channel that tells which file each call named. */
function fileChannel(answer: (id: string | null, calls: number) => Outcome | Promise<Outcome>) {
  const calls: { message: MessageId; attempt: number; id: string | null }[] = [];
  const channel: Channel = {
    prepare: ({ message_id, attempt, provider_media_id }) => ({
      path: message_id,
      headers: {},
      body: JSON.stringify({ attempt, id: provider_media_id ?? null }),
    }),
    async call({ path, body }: Prepared, stop) {
      const reason = stop();
      if (reason !== null) return { kind: 'not_sent', detail: reason };
      const { attempt, id } = JSON.parse(body) as { attempt: number; id: string | null };
      calls.push({ message: path as MessageId, attempt, id });
      return answer(id, calls.length);
    },
    close: () => Promise.resolve(),
  };
  return { channel, calls };
}

let sends = 0;
const sent = (): Outcome => ({ kind: 'sent', wamid: `wamid.file.${++sends}` });

async function storedFile(own: TenantWorld): Promise<MediaId> {
  const bytes = Buffer.concat([SAMPLES.jpeg, randomBytes(2000)]);
  const draft = await media.files.draft(Readable.from([bytes], { objectMode: false }), 'sent');
  const { media: row } = await keepMedia(world.db, own.tenant, draft, { source: 'upload', filename: 'a.jpg' });
  await draft.drop();
  return row.id;
}

/** What the loop takes for the token of a sender. */
const tokenOf = (sealed: string) => Buffer.from(sealed).toString('hex');
const image = (media_id: string) => ({ type: 'image' as const, content: { media_id } });
const all = (own: TenantWorld, ids: readonly MessageId[], state: string) =>
  until(`all are ${state}`, async () => {
    const states = await Promise.all(ids.map(async (id) => (await own.read(id)).state));
    return states.every((one) => one === state);
  });

test('one file for many messages is uploaded once for its sender, and once for ever', async (t) => {
  const own = await world.tenant();
  const uploads = await uploadServer(t);
  const file = await storedFile(own);
  const ids = await Promise.all(Array.from({ length: 60 }, () => own.accept(image(file))));
  const { channel, calls } = fileChannel(sent);
  const loop = sendingLoop(t, world, own, channel, { media: providerMedia(t, uploads.origin), maxInFlight: 20 });
  await loop.start();
  await all(own, ids, 'sent');
  assert.equal(uploads.forms.length, 1);
  const [{ path, token, form } = { path: '', token: '', form: new FormData() }] = uploads.forms;
  assert.deepEqual([path, token], ['/v26.0/1/media', `Bearer ${tokenOf('sealed')}`]);
  assert.deepEqual([form.get('messaging_product'), form.get('type')], ['whatsapp', 'image/jpeg']);
  assert.ok((form.get('file') as File).size > 2000);
  assert.deepEqual([...new Set(calls.map(({ id }) => id))], ['upload-1']);
  await loop.dispatcher.stop();

  // The next start asks the database.
  const next = providerMedia(t, uploads.origin);
  const sender = {
    channel: 'whatsapp' as const,
    tenant_id: own.tenant,
    id: own.sender,
    phone_number_id: '1',
    access_token: 'token',
  };
  assert.equal(next.known(sender, file, 1), undefined);
  const found = await next.find(sender, file, 1);
  assert.deepEqual([found.kind, 'id' in found && found.id], ['ready', 'upload-1']);
  assert.equal(uploads.forms.length, 1);
  // Before the provider forgets it, it is uploaded anew.
  const text = `update media_uploads set expires_at = now() - interval '1 s' where tenant_id = $1`;
  await world.db.query({ name: 'test_expire', text }, [own.tenant]);
  const later = await providerMedia(t, uploads.origin).find(sender, file, 1);
  assert.deepEqual('id' in later && later.id, 'upload-2');
});

test('an id that the provider has lost is forgotten: the file is uploaded once more, within the attempt', async (t) => {
  const own = await world.tenant();
  const uploads = await uploadServer(t);
  const file = await storedFile(own);
  let lost: Extract<Outcome, { kind: 'error' }> = {
    kind: 'error',
    code: 100,
    title: "(#100) Param image['id'] is not a valid whatsapp business account media attachment ID",
    detail: null,
    retryAfter: null,
  };
  let forgotten = 'none';
  const { channel, calls } = fileChannel((id) => (id === forgotten ? lost : sent()));
  const loop = sendingLoop(t, world, own, channel, { media: providerMedia(t, uploads.origin) });
  await loop.start();
  const first = await own.accept(image(file));
  await all(own, [first], 'sent');
  forgotten = 'upload-1';
  const second = await own.accept(image(file));
  await all(own, [second], 'sent');
  assert.deepEqual(
    calls.map(({ attempt, id }) => [attempt, id]),
    [
      [1, 'upload-1'],
      [1, 'upload-1'],
      [1, 'upload-2'],
    ],
  );
  // The code of files says so too.
  lost = { ...lost, code: 131053, title: 'Media upload error' };
  forgotten = 'upload-2';
  await all(own, [await own.accept(image(file))], 'sent');
  assert.deepEqual([calls.length, calls.at(-1)?.id], [5, 'upload-3']);
  // One that is refused right after its upload is no lost one.
  lost = { ...lost, code: 100 };
  forgotten = 'upload-4';
  const other = await own.accept(image(await storedFile(own)));
  await all(own, [other], 'failed');
  assert.equal(uploads.forms.length, 4);
  assert.equal((await own.read(other)).error?.code, 100);
});

test('an id that was lost while the program was away is uploaded anew as well', async (t) => {
  const own = await world.tenant();
  const uploads = await uploadServer(t);
  const file = await storedFile(own);
  const text = `
    insert into media_uploads (tenant_id, sender_id, media_id, provider_id, uploaded_at, expires_at)
    values ($1, $2, $3, 'lost', now() - interval '1 day', now() + interval '1 day')`;
  await world.db.query({ name: 'test_upload', text }, [own.tenant, own.sender, file]);
  const { channel, calls } = fileChannel((id) =>
    id === 'lost'
      ? { kind: 'error', code: 131053, title: 'Media upload error', detail: null, retryAfter: null }
      : sent(),
  );
  await sendingLoop(t, world, own, channel, { media: providerMedia(t, uploads.origin) }).start();
  const id = await own.accept(image(file));
  await all(own, [id], 'sent');
  assert.deepEqual(
    calls.map((call) => [call.attempt, call.id]),
    [
      [1, 'lost'],
      [1, 'upload-1'],
    ],
  );
});

test('files in the headers of templates and of buttons are uploaded too', async (t) => {
  const own = await world.tenant();
  const uploads = await uploadServer(t);
  const [one, two] = [await storedFile(own), await storedFile(own)];
  const { channel } = fileChannel(sent);
  const prepared: { template: unknown; content: unknown }[] = [];
  const watched: Channel = {
    ...channel,
    prepare(attempt, sender) {
      prepared.push({ template: attempt.template, content: attempt.content });
      return channel.prepare(attempt, sender);
    },
  };
  await sendingLoop(t, world, own, watched, { media: providerMedia(t, uploads.origin) }).start();
  const header = (id: string) => ({ type: 'header', parameters: [{ type: 'image', image: { id } }] });
  const template = (first: string, second: string) => ({
    name: 'summer',
    language: 'en',
    components: [
      header(first),
      { type: 'carousel', cards: [{ card_index: 0, components: [header(second), header('4711')] }] },
    ],
  });
  const kept = { media_id: newId<MediaId>(), text: 'kept for display' };
  const sentTemplate = await own.accept({ type: 'template', template: template(one, two), content: kept });
  await all(own, [sentTemplate], 'sent');
  assert.deepEqual(uploads.forms.length, 2);
  const ids = JSON.stringify(prepared[0]?.template).match(/"id":"[^"]+"/g);
  assert.deepEqual([ids?.slice(0, 2).sort(), ids?.[2]], [['"id":"upload-1"', '"id":"upload-2"'], '"id":"4711"']);
  assert.deepEqual((await own.read(sentTemplate)).template, template(one, two), 'what is stored has our own ids');

  const interactive = (id: string) => ({
    type: 'button',
    header: { type: 'image', image: { id } },
    body: { text: 'Yes?' },
    action: { buttons: [{ type: 'reply', reply: { id: 'y', title: 'Yes' } }] },
  });
  const sentButtons = await own.accept({ type: 'interactive', content: { interactive: interactive(one) } });
  await all(own, [sentButtons], 'sent');
  assert.match(JSON.stringify(prepared[1]?.content), /"image":\{"id":"upload-[12]"\}/);
  assert.equal(uploads.forms.length, 2, 'one of them is there already');
});

test("the provider's refusal of a file is the outcome of its message", async (t) => {
  const own = await world.tenant();
  const uploads = await uploadServer(t);
  uploads.answer = (response) => {
    response.statusCode = 400;
    response.end(JSON.stringify({ error: { code: 100, message: '(#100) Param file must be smaller', type: 'x' } }));
  };
  const { channel, calls } = fileChannel(sent);
  await sendingLoop(t, world, own, channel, { media: providerMedia(t, uploads.origin) }).start();
  const refused = await own.accept(image(await storedFile(own)));
  const gone = await own.accept(image(newId<MediaId>()));
  await all(own, [refused, gone], 'failed');
  assert.deepEqual(await own.read(refused).then(({ error }) => [error?.code, error?.title]), [
    100,
    '(#100) Param file must be smaller',
  ]);
  assert.equal((await own.read(gone)).error?.detail, 'no file of that media_id');
  assert.deepEqual(calls, []);
});

test('an upload that fails for no fault of the file is tried again with the next attempt', async (t) => {
  const own = await world.tenant();
  const uploads = await uploadServer(t);
  uploads.answer = (response, place) => {
    if (place === 1) response.destroy();
    else if (place === 2) response.writeHead(502).end('a gateway');
    else response.end(JSON.stringify({ id: 'at-last' }));
  };
  const { channel, calls } = fileChannel(sent);
  await sendingLoop(t, world, own, channel, { media: providerMedia(t, uploads.origin), random: 0 }).start();
  const id = await own.accept(image(await storedFile(own)));
  await all(own, [id], 'sent');
  assert.deepEqual(calls, [{ message: id, attempt: 3, id: 'at-last' }]);
});

test('an upload that outlasts the grace of its attempt leads to no second send', async (t) => {
  const own = await world.tenant();
  const uploads = await uploadServer(t);
  const held: (() => void)[] = [];
  uploads.answer = (response) => held.push(() => response.end(JSON.stringify({ id: 'slow' })));
  const { channel, calls } = fileChannel(sent);
  const options = { media: providerMedia(t, uploads.origin), random: 0, grace: 1000 };
  await sendingLoop(t, world, own, channel, options).start();
  const id = await own.accept(image(await storedFile(own)));
  await until('a second attempt waits for the same upload', async () => (await own.read(id)).attempt >= 2);
  assert.equal(held.length, 1);
  for (const release of held) release();
  await all(own, [id], 'sent');
  assert.equal(uploads.forms.length, 1);
  assert.equal(calls.length, 1);
});

test('a message whose time ends while it waits for its file is not sent, and expires', async (t) => {
  const own = await world.tenant();
  const uploads = await uploadServer(t);
  const held: (() => void)[] = [];
  uploads.answer = (response) => held.push(() => response.end(JSON.stringify({ id: 'slow' })));
  const { channel, calls } = fileChannel(sent);
  await sendingLoop(t, world, own, channel, { media: providerMedia(t, uploads.origin), random: 0 }).start();
  const file = await storedFile(own);
  const expires_at = Date.now() + 4000;
  const id = await own.accept({ ...image(file), expires_at });
  await until('the upload is held', () => held.length === 1);
  await until('its time is over', () => Date.now() > expires_at);
  for (const release of held) release();
  await all(own, [id], 'expired');
  assert.deepEqual(calls, []);
});

test('a message that waited for its file is sent by the token that its sender has by then', async (t) => {
  const own = await world.tenant();
  const uploads = await uploadServer(t);
  const held: (() => void)[] = [];
  uploads.answer = (response) => held.push(() => response.end(JSON.stringify({ id: 'slow' })));
  const tokens: string[] = [];
  const channel: Channel<WhatsAppSender> = {
    prepare: (_, { access_token }) => ({ path: '', headers: {}, body: access_token }),
    call: async ({ body }) => {
      tokens.push(body);
      return sent();
    },
    close: () => Promise.resolve(),
  };
  const loop = sendingLoop(t, world, own, channel, { media: providerMedia(t, uploads.origin) });
  await loop.start();
  const id = await own.accept(image(await storedFile(own)));
  await until('the upload is held', () => held.length === 1);
  const reads = loop.reads();
  const text = `update senders set access_token_sealed = 'fresh' where tenant_id = $1`;
  await world.db.query({ name: 'test_fresh', text }, [own.tenant]);
  world.signals.notify('senders');
  await until('the senders are read', () => loop.reads() > reads);
  for (const release of held) release();
  await all(own, [id], 'sent');
  assert.deepEqual(tokens, [tokenOf('fresh')]);
});

test('messages that wait for files leave room for those of other senders', async (t) => {
  const [own, other] = [await world.tenant(), await world.tenant()];
  const uploads = await uploadServer(t);
  const held: (() => void)[] = [];
  uploads.answer = (response) => held.push(() => response.end(JSON.stringify({ id: 'slow' })));
  const { channel } = fileChannel(sent);
  const loop = sendingLoop(t, world, own, channel, { media: providerMedia(t, uploads.origin), maxInFlight: 16 });
  await loop.start();
  const file = await storedFile(own);
  const first = await Promise.all(Array.from({ length: 4 }, () => own.accept(image(file))));
  await until('the upload is held', () => held.length === 1);
  await until('four wait', () => loop.dispatcher.inFlight === 4);
  const more = await Promise.all(Array.from({ length: 20 }, () => own.accept(image(file))));
  // Messages of another sender that leave by the same loop: it has looked for what it must not begin.
  for (let n = 0; n < 2; n++) await all(other, [await other.accept()], 'sent');
  await until('the others are over', () => loop.dispatcher.inFlight === 4);
  for (const id of more) assert.equal((await own.read(id)).state, 'queued');
  for (const release of held) release();
  await all(own, [...first, ...more], 'sent');
});
