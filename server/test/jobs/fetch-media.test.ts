import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, before, type TestContext, test } from 'node:test';
import { type CustomerReads, createCustomerReads } from '../../src/actions/mark-read.ts';
import { receiveMessages } from '../../src/actions/receive-messages.ts';
import { whatsappMedia } from '../../src/channels/whatsapp/media-api.ts';
import { firstIdAt, type MediaId, type MessageId } from '../../src/domain/ids.ts';
import { isSameHash, nextMediaFetch } from '../../src/domain/media-fetch.ts';
import { createFetchMedia } from '../../src/jobs/fetch-media.ts';
import { fileClient } from '../../src/net/file-client.ts';
import { createMetrics } from '../../src/runtime/metrics.ts';
import { findMedia } from '../../src/store/media.read.ts';
import { type EngineWorld, engineWorld, newPhone, readLog, type TenantWorld } from '../engine-world.ts';
import { SAMPLES } from '../media-samples.ts';
import { type MediaWorld, mediaWorld } from '../media-world.ts';
import { assertSound } from '../soundness.ts';
import { until } from '../until.ts';

let world: EngineWorld;
let reads: CustomerReads;
let media: MediaWorld;
before(async () => {
  world = await engineWorld();
  reads = createCustomerReads(world);
  media = await mediaWorld(world.db);
});
after(async () => {
  await assertSound(world.db);
  await media.close();
  await world.close();
});

type Serve = (request: IncomingMessage, response: ServerResponse) => void;

/** A provider that keeps files by their ids: asked for one it gives an address, and there the file. */
interface Provider {
  origin: string;
  files: Map<string, Buffer>;
  asked: string[];
  describe?: Serve;
  download?: Serve;
}

async function startProvider(t: TestContext): Promise<Provider> {
  const provider: Provider = { origin: '', files: new Map(), asked: [] };
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', provider.origin);
    provider.asked.push(`${request.headers.authorization} ${request.url}`);
    if (pathname === '/download') {
      if (provider.download) provider.download(request, response);
      else response.end(provider.files.get(searchParams.get('id') ?? ''));
      return;
    }
    const id = pathname.split('/').at(-1) ?? '';
    if (provider.describe) provider.describe(request, response);
    else if (!provider.files.has(id)) {
      response.statusCode = 400;
      const message = `Unsupported get request. Object with ID '${id}' does not exist`;
      response.end(JSON.stringify({ error: { message, code: 100, error_subcode: 33 } }));
    } else response.end(JSON.stringify({ url: `${provider.origin}/download?id=${id}`, id }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  provider.origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  return provider;
}

function fetching(t: TestContext, { origin }: Provider, pollInterval = 20, fileTimeout = 5000) {
  const job = createFetchMedia({
    db: world.db,
    signals: world.signals,
    logger: { warn: () => {}, debug: () => {} },
    metrics: createMetrics({ version: 'test', node: false }),
    files: media.files,
    source: whatsappMedia({
      client: fileClient({ connections: 16, stall: fileTimeout }),
      origin,
      version: 'v26.0',
      timeout: 2000,
      fileTimeout,
    }),
    openToken: () => 'token',
    pollInterval,
    random: () => 0,
  });
  t.after(() => job.stop());
  return job;
}

let count = 0;

/** A customer's message with a file that is still to be fetched. */
async function received(own: TenantWorld, id: string, about: Record<string, unknown> = {}): Promise<MessageId> {
  const wamid = `wamid.file.in.${++count}`;
  const media = { state: 'pending', mime_type: 'image/jpeg', ...about };
  const message = {
    tenant: own.tenant,
    sender: own.sender,
    wamid,
    at: Date.now(),
    phone: newPhone(),
    userId: null,
    type: 'image',
    content: { text: 'Look', media },
    name: 'Ana',
    replyTo: null,
    mediaId: id,
  };
  const [stored] = await receiveMessages(world.db, world.signals, [message], 0);
  assert(stored);
  return stored.message;
}

type MediaContent = { media_id?: MediaId; text?: string; media: Record<string, unknown> };

async function contentOf(own: TenantWorld, id: MessageId): Promise<MediaContent> {
  return (await own.read(id)).content as unknown as MediaContent;
}

const settled = (own: TenantWorld, id: MessageId) =>
  until('its file is settled', async () => (await contentOf(own, id)).media['state'] !== 'pending');

const fetchOf = async (id: MessageId) => {
  const text = 'select tries, detail, due_at > now() as waits from media_fetches where message_id = $1';
  const [row] = await world.db.query<{ tries: number; detail: string; waits: boolean }>({ name: 'test_fetch', text }, [
    id,
  ]);
  return row;
};

const makeDue = (id: MessageId) =>
  world.db.query({ name: 'test_due', text: 'update media_fetches set due_at = now() where message_id = $1' }, [id]);

test('a file is fetched at once, stored, and told of in its message and the log', async (t) => {
  const own = await world.tenant();
  const provider = await startProvider(t);
  const bytes = Buffer.concat([SAMPLES.jpeg, randomBytes(3000)]);
  const sha256 = createHash('sha256').update(bytes).digest('base64');
  provider.files.set('4711', bytes);
  // Nothing but the signal of the receiving action wakes it within this test.
  await fetching(t, provider, 60_000).start();
  const id = await received(own, '4711', { sha256, filename: 'photo.jpg' });
  await settled(own, id);
  const content = await contentOf(own, id);
  assert.equal(content.text, 'Look');
  assert.deepEqual(content.media, {
    state: 'stored',
    mime_type: 'image/jpeg',
    size: bytes.length,
    sha256,
    filename: 'photo.jpg',
  });
  assert(content.media_id);
  const [row] = await findMedia(world.db, own.tenant, [content.media_id]);
  assert.deepEqual([row?.kind, row?.source, row?.size, row?.filename], ['image', 'inbound', bytes.length, 'photo.jpg']);
  assert(row);
  assert.deepEqual(await buffer((await media.files.open(own.tenant, row.sha256)) ?? Readable.from([])), bytes);
  assert.deepEqual(provider.asked, [
    `Bearer token /v26.0/4711?phone_number_id=${own.phoneNumberId}`,
    'Bearer token /download?id=4711',
  ]);
  assert.equal(await fetchOf(id), undefined);
  const log = await readLog(world.db, own.tenant, 2);
  assert.deepEqual(
    log.map(({ event_type }) => event_type),
    ['message.received', 'message.media'],
  );
  // What follows tells its state as if nothing had been between.
  await reads.markRead(own.tenant, id);
  assert.deepEqual([(await own.read(id)).state, (await contentOf(own, id)).media_id], ['read', content.media_id]);
});

test('two customers send the same file: it is there once', async (t) => {
  const own = await world.tenant();
  const provider = await startProvider(t);
  const bytes = Buffer.concat([SAMPLES.png, randomBytes(300)]);
  provider.files.set('1', bytes).set('2', bytes);
  const job = fetching(t, provider);
  const [one, two] = [await received(own, '1'), await received(own, '2')];
  await job.start();
  await Promise.all([settled(own, one), settled(own, two)]);
  assert.equal((await contentOf(own, one)).media_id, (await contentOf(own, two)).media_id);
});

test('a file that cannot be had now is tried again, with the reason kept', async (t) => {
  const own = await world.tenant();
  const provider = await startProvider(t);
  const job = fetching(t, provider);
  const wrong: [name: string, detail: RegExp, change: Partial<Provider>][] = [
    ['the id is not known yet', /^100: Unsupported get request/, {}],
    ['a gateway', /^HTTP 502/, { describe: (_q, response) => response.writeHead(502).end('x') }],
    ['no address', /^HTTP 200/, { describe: (_q, response) => response.end('{"url": "ftp://x/y"}') }],
    ['another host without TLS', /^HTTP 200/, { describe: (_q, r) => r.end('{"url": "http://127.0.0.9:1/y"}') }],
    ['the address has expired', /^HTTP 404/, { download: (_q, response) => response.writeHead(404).end('gone') }],
    [
      'it breaks off',
      /./,
      {
        download(_q, response) {
          response.writeHead(200, { 'content-length': '5000' });
          response.write('half', () => response.socket?.destroy());
        },
      },
    ],
    ['another content', /^what came is not what/, { download: (_q, response) => response.end('something else') }],
  ];
  const bytes = Buffer.concat([SAMPLES.jpeg, randomBytes(300)]);
  const id = await received(own, '77', { sha256: createHash('sha256').update(bytes).digest('hex') });
  await job.start();
  for (const [place, [name, detail, change]] of wrong.entries()) {
    Object.assign(provider, { describe: undefined, download: undefined }, change);
    if (place > 0) await makeDue(id);
    await until(`${name}: told`, async () => {
      const row = await fetchOf(id);
      return row?.tries === place + 1 && row.waits && detail.test(row.detail ?? '');
    });
    if (place === 0) provider.files.set('77', bytes);
  }
  assert.equal((await contentOf(own, id)).media['state'], 'pending');
  Object.assign(provider, { describe: undefined, download: undefined });
  await makeDue(id);
  await settled(own, id);
  assert.equal((await contentOf(own, id)).media['state'], 'stored');
});

test('a file that the provider will have forgotten is given up, and its message says so', async (t) => {
  const own = await world.tenant();
  const provider = await startProvider(t);
  const id = await received(own, '404');
  // As if it had come a week ago.
  const old = `${firstIdAt(Date.now() - 7 * 86_400_000).slice(0, 24)}${id.slice(24)}` as MessageId;
  for (const table of [
    'messages set id',
    'media_fetches set message_id',
    'events set message_id',
    'wamids set message_id',
  ]) {
    const [name = '', column = ''] = table.split(' set ');
    await world.db.script(`update ${name} set ${column} = '${old}' where ${column} = '${id}'`);
  }
  await fetching(t, provider).start();
  await settled(own, old);
  const { media: told, media_id } = await contentOf(own, old);
  assert.deepEqual([told['state'], media_id], ['failed', undefined]);
  assert.match(String(told['detail']), /does not exist/);
  assert.equal(await fetchOf(old), undefined);
});

test('a slow file holds up no other, and a stop lets what is under way be taken at once', async (t) => {
  const own = await world.tenant();
  const provider = await startProvider(t);
  provider.files.set('slow', SAMPLES.jpeg);
  for (let n = 0; n < 20; n++) provider.files.set(`quick${n}`, Buffer.concat([SAMPLES.jpeg, randomBytes(50)]));
  let begun = false;
  provider.download = (request, response) => {
    const id = new URL(request.url ?? '', provider.origin).searchParams.get('id') ?? '';
    if (id !== 'slow') return void response.end(provider.files.get(id));
    begun = true;
    response.write('a little');
  };
  // Long enough that it is still under way when the others are there.
  const job = fetching(t, provider, 20, 60_000);
  await job.start();
  const slow = await received(own, 'slow');
  await until('the slow one has begun', () => begun);
  const quick = await Promise.all(Array.from({ length: 20 }, (_, n) => received(own, `quick${n}`)));
  await Promise.all(quick.map((id) => settled(own, id)));
  assert.equal((await contentOf(own, slow)).media['state'], 'pending');
  await job.stop();
  const left = await fetchOf(slow);
  assert.deepEqual([left?.tries, left?.waits], [1, false]);
});

test('a file is tried ever more rarely, for as long as the provider keeps it', () => {
  const message_id = firstIdAt(0) as MessageId;
  const day = 86_400_000;
  const delay = (tries: number, now = 0) => nextMediaFetch({ message_id, tries }, null, now, 1);
  assert.deepEqual([delay(1), delay(2), delay(5), delay(30)], [2000, 4000, 32_000, 3_600_000]);
  assert.equal(delay(30, 6 * day), 3_600_000);
  assert.equal(delay(30, 7 * day - 3_600_000), null);
  assert.equal(nextMediaFetch({ message_id, tries: 1 }, 60_000, 0, 0), 60_000, "the provider's wish");
});

test('a hash is compared in either spelling, and what is no hash says nothing', () => {
  const sha256 = createHash('sha256').update('x').digest();
  for (const told of [null, sha256.toString('hex'), sha256.toString('base64'), 'no hash']) {
    assert.equal(isSameHash(told, sha256), true, String(told));
  }
  const other = createHash('sha256').update('y').digest();
  for (const told of [other.toString('hex'), other.toString('base64')]) assert.equal(isSameHash(told, sha256), false);
});
