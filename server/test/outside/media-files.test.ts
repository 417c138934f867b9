import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { AldisError } from '../../src/domain/errors.ts';
import { newId, type TenantId } from '../../src/domain/ids.ts';
import type { MediaFiles } from '../../src/domain/media-files.ts';
import { mostBytes } from '../../src/domain/media-types.ts';
import type { ObjectStore } from '../../src/domain/object-store.ts';
import { openMediaFiles } from '../../src/outside/media-files.ts';
import { openDiskStore } from '../../src/outside/object-store-disk.ts';
import { openS3Store } from '../../src/outside/object-store-s3.ts';
import { SAMPLES, sized } from '../media-samples.ts';

let folder: string;
let store: ObjectStore;
let files: MediaFiles;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'aldis-files-'));
  store = await openDiskStore(join(folder, 'media'));
  files = await openMediaFiles({ store, drafts: join(folder, 'drafts'), maxFileSize: 100e6 });
});
after(() => rmSync(folder, { recursive: true }));

const stream = (bytes: Buffer) => Readable.from([bytes], { objectMode: false });
const drafts = () => readdirSync(join(folder, 'drafts'));

async function typeOf(bytes: Buffer, source: 'sent' | 'received' = 'sent') {
  const draft = await files.draft(stream(bytes), source);
  await draft.drop();
  return [draft.file.kind, draft.file.mime_type, draft.file.animated];
}

async function refusalOf(bytes: Buffer, of = files): Promise<AldisError> {
  try {
    await of.draft(stream(bytes), 'sent');
  } catch (error) {
    assert(error instanceof AldisError);
    return error;
  }
  assert.fail('it was taken');
}

const OOXML = 'application/vnd.openxmlformats-officedocument';

const TAKEN: Readonly<Partial<Record<keyof typeof SAMPLES, [kind: string, type: string, animated: boolean | null]>>> = {
  jpeg: ['image', 'image/jpeg', null],
  png: ['image', 'image/png', null],
  webp: ['sticker', 'image/webp', false],
  animatedWebp: ['sticker', 'image/webp', true],
  mp4: ['video', 'video/mp4', null],
  threeGp: ['video', 'video/3gpp', null],
  m4a: ['audio', 'audio/mp4', null],
  mp3: ['audio', 'audio/mpeg', null],
  aac: ['audio', 'audio/aac', null],
  amr: ['audio', 'audio/amr', null],
  opus: ['audio', 'audio/ogg; codecs=opus', null],
  pdf: ['document', 'application/pdf', null],
  docx: ['document', `${OOXML}.wordprocessingml.document`, null],
  xlsx: ['document', `${OOXML}.spreadsheetml.sheet`, null],
  pptx: ['document', `${OOXML}.presentationml.presentation`, null],
  doc: ['document', 'application/msword', null],
  xls: ['document', 'application/vnd.ms-excel', null],
  ppt: ['document', 'application/vnd.ms-powerpoint', null],
  text: ['document', 'text/plain', null],
  html: ['document', 'text/plain', null],
};

const REFUSED: Readonly<Partial<Record<keyof typeof SAMPLES, RegExp>>> = {
  gif: /takes no GIF; send it as JPEG, PNG or an MP4 video/,
  heic: /takes no HEIC; send it as JPEG/,
  mov: /videos as MP4 or 3GP only/,
  wav: /takes no WAV; send it as MP3, AAC or OGG with Opus/,
  vorbis: /OGG only with Opus/,
  zip: /takes no archives/,
  msi: /documents as PDF, text, Word, Excel or PowerPoint only/,
  latin: /documents as PDF, text/,
  binary: /documents as PDF, text/,
};

test('a file is what its content says', async () => {
  for (const [name, expected] of Object.entries(TAKEN)) {
    assert.deepEqual(await typeOf(SAMPLES[name as keyof typeof SAMPLES]), expected, name);
  }
});

test('what WhatsApp does not take is refused, and it is said what to do', async () => {
  for (const [name, advice] of Object.entries(REFUSED)) {
    const error = await refusalOf(SAMPLES[name as keyof typeof SAMPLES]);
    assert.equal(error.code, 'unsupported_type', name);
    assert.match(error.message, advice, name);
    assert.equal(error.field, 'file');
  }
  assert.deepEqual(drafts(), []);
});

test('what a customer sent is taken whatever it is', async () => {
  assert.deepEqual(await typeOf(SAMPLES.gif, 'received'), ['other', 'image/gif', null]);
  assert.deepEqual(await typeOf(SAMPLES.binary, 'received'), ['other', 'application/octet-stream', null]);
  assert.deepEqual(await typeOf(SAMPLES.jpeg, 'received'), ['image', 'image/jpeg', null]);
  const long = sized(SAMPLES.jpeg, 5e6 + 1);
  assert.deepEqual(await typeOf(long, 'received'), ['document', 'image/jpeg', null], 'too large for an image');
});

test('each type has its size: as large is taken, one byte more is not', async () => {
  const sizes: [keyof typeof SAMPLES, number][] = [
    ['jpeg', 5e6],
    ['webp', 100e3],
    ['animatedWebp', 500e3],
    ['mp4', 16e6],
    ['mp3', 16e6],
  ];
  for (const [name, most] of sizes) {
    const [kind, , animated] = TAKEN[name] ?? [];
    assert.equal(mostBytes({ kind: kind as 'image', animated: animated ?? null }), most, name);
    await typeOf(sized(SAMPLES[name], most));
    const error = await refusalOf(sized(SAMPLES[name], most + 1));
    assert.equal(error.code, 'payload_too_large', name);
    assert.equal(error.details?.['limit'], most);
    assert.match(error.message, new RegExp(`up to ${most >= 1e6 ? `${most / 1e6} MB` : `${most / 1e3} KB`}`));
  }
  assert.deepEqual(drafts(), []);
});

test('a smaller limit of the configuration counts', async () => {
  const small = await openMediaFiles({ store, drafts: join(folder, 'others'), maxFileSize: 1000 });
  const error = await refusalOf(sized(SAMPLES.pdf, 1001), small);
  assert.deepEqual([error.code, error.details?.['limit']], ['payload_too_large', 1000]);
  await (await small.draft(stream(sized(SAMPLES.pdf, 1000)), 'sent')).drop();
});

test('an empty file is none', async () => {
  assert.equal((await refusalOf(Buffer.alloc(0))).code, 'invalid_field');
});

test('a draft is kept under its hash, and read back whole and in ranges', async () => {
  const tenant = newId<TenantId>();
  const draft = await files.draft(stream(SAMPLES.pdf), 'sent');
  assert.deepEqual(draft.file.sha256, createHash('sha256').update(SAMPLES.pdf).digest());
  assert.equal(drafts().length, 1);
  await draft.keep(tenant);
  await draft.drop();
  assert.deepEqual(drafts(), []);
  const { sha256 } = draft.file;
  assert.deepEqual(readdirSync(join(folder, 'media', 'messages', tenant)), [sha256.toString('hex')]);
  const read = async (range?: { start: number; end: number }) =>
    buffer((await files.open(tenant, sha256, range)) ?? Readable.from([]));
  assert.deepEqual(await read(), SAMPLES.pdf);
  assert.deepEqual(await read({ start: 1, end: 3 }), Buffer.from('PDF'));
  assert.equal(await files.open(newId<TenantId>(), sha256), null, 'of another tenant');
  await files.remove(tenant, sha256);
  assert.equal(await files.open(tenant, sha256), null);
});

test('a file that breaks off, or never ends, leaves nothing', async () => {
  async function* broken() {
    yield SAMPLES.pdf;
    throw new Error('cut off');
  }
  await assert.rejects(files.draft(broken(), 'sent'), /cut off/);
  let given = 0;
  async function* endless() {
    for (const piece = Buffer.alloc(1 << 20); ; given++) yield piece;
  }
  const small = await openMediaFiles({ store, drafts: join(folder, 'others'), maxFileSize: 3 << 20 });
  await assert.rejects(small.draft(endless(), 'sent'), /larger than/);
  assert.ok(given <= 4, `${given} pieces were asked for`);
  assert.deepEqual(drafts(), []);
  assert.deepEqual(readdirSync(join(folder, 'others')), []);
});

test('a disk that is full is told as a store that is, and nothing half written is left', async () => {
  async function* full() {
    yield SAMPLES.pdf;
    throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
  }
  for (const source of ['sent', 'received'] as const) {
    await assert.rejects(files.draft(full(), source), { code: 'unavailable', retryAfter: 5 });
  }
  assert.deepEqual(drafts(), []);
});

test('a store that is out of reach is told as that, and asked later', async () => {
  const away = openS3Store({
    region: 'us-east-1',
    endpoint: 'http://127.0.0.1:1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    bucket: 'none',
    pathStyle: true,
    prefix: '',
  });
  const lost = await openMediaFiles({ store: away, drafts: join(folder, 'lost'), maxFileSize: 1e6 });
  const unavailable = (error: unknown) =>
    error instanceof AldisError && error.code === 'unavailable' && /ECONNREFUSED/.test(String(error.cause));
  const tenant = newId<TenantId>();
  const draft = await lost.draft(stream(SAMPLES.pdf), 'sent');
  await assert.rejects(draft.keep(tenant), unavailable);
  await draft.drop();
  await assert.rejects(lost.open(tenant, draft.file.sha256), unavailable);
  await assert.rejects(lost.remove(tenant, draft.file.sha256), unavailable);
  await away.close();
});

test('no more uploads arrive at once than there is room for; what customers sent is taken all the same', async () => {
  const held = Promise.withResolvers<void>();
  async function* slow() {
    yield SAMPLES.pdf;
    await held.promise;
  }
  const uploads = Array.from({ length: 64 }, () => files.draft(slow(), 'sent'));
  await assert.rejects(files.draft(stream(SAMPLES.pdf), 'sent'), { code: 'overloaded' });
  await (await files.draft(stream(SAMPLES.pdf), 'received')).drop();
  held.resolve();
  for (const draft of await Promise.all(uploads)) await draft.drop();
  await (await files.draft(stream(SAMPLES.pdf), 'sent')).drop();
  assert.deepEqual(drafts(), []);
});

test('drafts that a crash left are removed at the start', async () => {
  const left = join(folder, 'left');
  await openMediaFiles({ store, drafts: left, maxFileSize: 1000 });
  writeFileSync(join(left, 'half'), 'half');
  await openMediaFiles({ store, drafts: left, maxFileSize: 1000 });
  assert.deepEqual(readdirSync(left), []);
});
