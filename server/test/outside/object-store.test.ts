import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import type { ObjectStore } from '../../src/domain/object-store.ts';
import { openDiskStore } from '../../src/outside/object-store-disk.ts';
import { openS3Store } from '../../src/outside/object-store-s3.ts';
import { heldBytes } from '../memory.ts';

/*
 * What every object store promises. ALDIS_TEST_S3 names a real S3 server as http://ACCESS:SECRET@HOST:PORT; without it only the
 * disk is tried.
 */
const S3 = process.env['ALDIS_TEST_S3'];

interface Tried {
  store: ObjectStore;
  /** Everything that lies in it, by key, what is unfinished included. */
  listed(): Promise<string[]>;
  close(): Promise<void>;
}

async function onDisk(): Promise<Tried> {
  const folder = mkdtempSync(join(tmpdir(), 'aldis-objects-'));
  const store = await openDiskStore(folder);
  return {
    store,
    listed: async () =>
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1)),
    close: async () => {
      await store.close();
      rmSync(folder, { recursive: true });
    },
  };
}

async function onS3(address: string): Promise<Tried> {
  const { protocol, host, username: accessKeyId, password: secretAccessKey } = new URL(address);
  const connection = {
    region: 'us-east-1',
    endpoint: `${protocol}//${host}`,
    credentials: { accessKeyId, secretAccessKey },
  };
  const bucket = `aldis-${randomBytes(6).toString('hex')}`;
  const client = new S3Client({ ...connection, forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  const store = openS3Store({ ...connection, bucket, pathStyle: true, prefix: 'some/where/' });
  await store.check();
  return {
    store,
    async listed() {
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
      return Contents.map(({ Key = '' }) => Key.replace(/^some\/where\//, ''));
    },
    async close() {
      await store.close();
      client.destroy();
    },
  };
}

const stores: [name: string, open: () => Promise<Tried>][] = [['disk', onDisk]];
if (S3 !== undefined) stores.push(['S3', () => onS3(S3)]);

const about = { type: 'application/octet-stream' };
const stream = (...chunks: Buffer[]) => Readable.from(chunks, { objectMode: false });

describe(`object stores: ${S3 === undefined ? 'the disk only, for ALDIS_TEST_S3 names no server' : 'the disk and S3'}`, () => {
  for (const [name, open] of stores) {
    describe(name, () => {
      let tried: Tried;
      before(async () => {
        tried = await open();
      });
      after(() => tried.close());

      async function read(key: string, range?: { start: number; end: number }) {
        const found = await tried.store.get(key, range);
        return found && { size: found.size, text: (await buffer(found.bytes)).toString('latin1') };
      }

      test('what is put is got, whole and in ranges', async () => {
        const key = `messages/a/${randomUUID()}`;
        assert.deepEqual(await tried.store.put(key, stream(Buffer.from('hello '), Buffer.from('world')), about), {
          size: 11,
        });
        assert.deepEqual(await read(key), { size: 11, text: 'hello world' });
        assert.deepEqual(await read(key, { start: 6, end: 8 }), { size: 11, text: 'wor' });
        assert.deepEqual(await read(key, { start: 6, end: 100 }), { size: 11, text: 'world' });
        assert.deepEqual(await read(key, { start: 0, end: 0 }), { size: 11, text: 'h' });
        assert.deepEqual(await read(key, { start: 11, end: 20 }), { size: 11, text: '' });
      });

      test('an empty object is an object', async () => {
        const key = `messages/${randomUUID()}`;
        assert.deepEqual(await tried.store.put(key, stream(), about), { size: 0 });
        assert.deepEqual(await read(key), { size: 0, text: '' });
      });

      test('a second put takes the place of the first', async () => {
        const key = `messages/${randomUUID()}`;
        await tried.store.put(key, stream(Buffer.from('longer than the other')), about);
        await tried.store.put(key, stream(Buffer.from('short')), about);
        assert.deepEqual(await read(key), { size: 5, text: 'short' });
      });

      test('what is removed is gone, and may be removed again', async () => {
        const key = `messages/${randomUUID()}`;
        await tried.store.put(key, stream(Buffer.from('x')), about);
        await tried.store.remove(key);
        assert.equal(await read(key), null);
        await tried.store.remove(key);
        await tried.store.remove(`messages/${randomUUID()}/never`);
      });

      test('a put that fails leaves nothing', async () => {
        const key = `messages/b/${randomUUID()}`;
        const listed = await tried.listed();
        async function* broken() {
          yield Buffer.alloc(100_000);
          throw new Error('cut off');
        }
        await assert.rejects(tried.store.put(key, broken(), about), /cut off/);
        assert.equal(await read(key), null);
        assert.deepEqual((await tried.listed()).sort(), listed.sort());
      });

      test('a long put that fails leaves nothing', async () => {
        const key = `messages/b/${randomUUID()}`;
        async function* broken() {
          for (let n = 0; n < 20; n++) yield Buffer.alloc(1 << 20);
          throw new Error('cut off');
        }
        await assert.rejects(tried.store.put(key, broken(), about), /cut off/);
        assert.equal(await read(key), null);
        assert.ok(!(await tried.listed()).some((listed) => listed.includes(key)));
      });

      test('a long object comes back byte for byte, and is never whole in memory', async () => {
        const key = `messages/c/${randomUUID()}`;
        const piece = randomBytes(1 << 20);
        let made = 0;
        async function* pieces() {
          for (; made < 128; made++) {
            if (made % 8 === 0) held.look();
            yield piece;
          }
        }
        const held = heldBytes();
        assert.deepEqual(await tried.store.put(key, pieces(), about), { size: 128 << 20 });
        const found = await tried.store.get(key);
        let size = 0;
        for await (const chunk of found?.bytes ?? []) {
          const start = size % piece.length;
          const same = Math.min(chunk.length, piece.length - start);
          assert.ok(Buffer.from(chunk.subarray(0, same)).equals(piece.subarray(start, start + same)));
          size += chunk.length;
          if (size % (8 << 20) < chunk.length) held.look();
        }
        assert.equal(size, 128 << 20);
        // Some parts are under way at once, and on a busy machine each is there twice for a moment.
        assert.ok(held.most < 64 << 20, `${held.most} bytes at once`);
        await tried.store.remove(key);
      });

      test('a reader may leave early', async () => {
        const key = `messages/${randomUUID()}`;
        await tried.store.put(key, stream(Buffer.alloc(1 << 20)), about);
        const found = await tried.store.get(key);
        let chunks = 0;
        for await (const chunk of found?.bytes ?? []) {
          chunks += chunk.length > 0 ? 1 : 0;
          break;
        }
        assert.equal(chunks, 1);
      });

      test('a key never leads elsewhere', async () => {
        for (const key of ['../x', 'a/../b', '/etc/passwd', 'a//b', '', '.unfinished/x', 'a/.', 'a\0b', 'a/b/', 'ä']) {
          await assert.rejects(tried.store.put(key, stream(Buffer.from('x')), about), RangeError, key);
          await assert.rejects(tried.store.get(key), RangeError, key);
          await assert.rejects(tried.store.remove(key), RangeError, key);
        }
      });
    });
  }
});

if (S3 !== undefined) {
  test('uploads to a bucket that a crash cut off are given up, fresh ones are not', async () => {
    const { protocol, host, username: accessKeyId, password: secretAccessKey } = new URL(S3);
    const endpoint = `${protocol}//${host}`;
    const connection = { region: 'us-east-1', endpoint, credentials: { accessKeyId, secretAccessKey } };
    const client = new S3Client({ ...connection, forcePathStyle: true });
    const Bucket = `aldis-${randomBytes(6).toString('hex')}`;
    await client.send(new CreateBucketCommand({ Bucket }));
    const store = openS3Store({ ...connection, bucket: Bucket, pathStyle: true, prefix: 'ours/' });
    await client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'ours/messages/x' }));
    await client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'theirs/x' }));
    const keys = async () =>
      (await client.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads?.map(({ Key }) => Key);
    await store.removeOrphans(new Date(Date.now() - 60_000));
    assert.deepEqual(await keys(), ['ours/messages/x', 'theirs/x']);
    await store.removeOrphans(new Date(Date.now() + 60_000));
    assert.deepEqual(await keys(), ['theirs/x']);
    await store.close();
    client.destroy();
  });
}

test('what a crash left half written is removed at the start, what is being written is not', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'aldis-objects-'));
  t.after(() => rmSync(folder, { recursive: true }));
  await (await openDiskStore(folder)).close();
  const [old, fresh] = [join(folder, '.unfinished', 'old'), join(folder, '.unfinished', 'fresh')];
  for (const file of [old, fresh]) writeFileSync(file, 'half');
  const twoHoursAgo = Date.now() / 1000 - 7200;
  utimesSync(old, twoHoursAgo, twoHoursAgo);
  await (await openDiskStore(folder)).close();
  assert.deepEqual(readdirSync(join(folder, '.unfinished')), ['fresh']);
  assert.equal(readFileSync(fresh, 'utf8'), 'half');
});

test('an object storage that does not answer is an error, and not nothing', async () => {
  const store = openS3Store({
    region: 'us-east-1',
    endpoint: 'http://127.0.0.1:1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    bucket: 'none',
    pathStyle: true,
    prefix: '',
  });
  await assert.rejects(store.get('messages/x'), /ECONNREFUSED/);
  await assert.rejects(store.put('messages/x', stream(Buffer.from('x')), about), /ECONNREFUSED/);
  await store.close();
});
