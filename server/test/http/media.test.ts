import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { takeDueMediaRemovals } from '../../src/actions/media.ts';
import { type BatchId, newId } from '../../src/domain/ids.ts';
import { createRemoveMedia } from '../../src/jobs/remove-media.ts';
import { releaseMessages } from '../../src/store/batches.write.ts';
import { SAMPLES, sized } from '../media-samples.ts';
import { heldBytes } from '../memory.ts';
import { until } from '../until.ts';
import { type Answer, type Customer, type DoorWorld, doorWorld } from './door-world.ts';

let world: DoorWorld;
let customer: Customer;
before(async () => {
  world = await doorWorld();
  customer = await world.customer();
});
after(() => world.close());

const API = '/api/v1/media';

async function send(form: FormData, own = customer, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(`${world.url}${API}`, {
    method: 'POST',
    headers: { 'x-api-key': own.key, ...headers },
    body: form,
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answer['body'] };
}

function formOf(bytes: Buffer, name = 'photo.jpg', field = 'file', type = 'application/x-whatever'): FormData {
  const form = new FormData();
  form.append(field, new Blob([new Uint8Array(bytes)], { type }), name);
  return form;
}

const upload = (bytes: Buffer, name?: string, own?: Customer) => send(formOf(bytes, name), own);

async function remove(id: unknown, own = customer): Promise<Answer> {
  const response = await fetch(`${world.url}${API}/${id}`, { method: 'DELETE', headers: { 'x-api-key': own.key } });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answer['body'] };
}

const unique = (sample: Buffer) => Buffer.concat([sample, randomBytes(16)]);
const drafts = () => readdirSync(join(world.media.folder, 'drafts'));
const stored = () =>
  readdirSync(join(world.media.folder, 'media'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);

test('a file is uploaded, found, listed, and read by its link', async () => {
  const bytes = unique(SAMPLES.jpeg);
  const { status, body } = await upload(bytes, 'my photo.png');
  assert.equal(status, 201);
  const { id, url, url_expires_at, created_at, ...rest } = body;
  assert.deepEqual(rest, {
    kind: 'image',
    mime_type: 'image/jpeg',
    size: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    animated: null,
    filename: 'my photo.png',
    source: 'upload',
  });
  const lifetime = Date.parse(String(url_expires_at)) - Date.now();
  assert.ok(lifetime > 890_000 && lifetime <= 900_000);
  assert.match(String(created_at), /Z$/);
  const again = await customer.get(`${API}/${id}`);
  assert.deepEqual([again.status, again.body.id], [200, id]);
  const { body: list } = await customer.get(`${API}?limit=1`);
  assert.deepEqual((list['media'] as { id: string }[])[0]?.id, id);

  const answer = await fetch(String(url));
  assert.equal(answer.status, 200);
  assert.deepEqual(Buffer.from(await answer.arrayBuffer()), bytes);
  const header = (name: string) => answer.headers.get(name);
  assert.equal(header('content-type'), 'image/jpeg');
  assert.equal(header('content-length'), String(bytes.length));
  assert.equal(header('content-disposition'), 'inline; filename="my photo.png"');
  assert.equal(header('x-content-type-options'), 'nosniff');
  assert.equal(header('content-security-policy'), "default-src 'none'; sandbox");
  assert.match(header('cache-control') ?? '', /^private, max-age=8\d\d$/);
});

test('the same content is there once for a tenant, and once for each tenant', async () => {
  const bytes = unique(SAMPLES.pdf);
  const [one, two] = await Promise.all([upload(bytes, 'a.pdf'), upload(bytes, 'b.pdf')]);
  assert.deepEqual([one.status, two.status].sort(), [200, 201]);
  assert.equal(one.body.id, two.body.id);
  assert.equal((await upload(bytes, 'c.pdf')).status, 200);
  const other = await world.customer();
  const others = await upload(bytes, 'a.pdf', other);
  assert.equal(others.status, 201);
  assert.notEqual(others.body.id, one.body.id);
  assert.equal((await other.get(`${API}/${one.body.id}`)).status, 404);
  assert.equal((await remove(one.body.id, other)).status, 404);
});

test('a link works for its own file, until it expires, and cannot be made', async () => {
  const { body } = await upload(unique(SAMPLES.png));
  const url = new URL(String(body['url']));
  const token = url.pathname.split('/').at(-1) ?? '';
  const ask = (path: string) => fetch(new URL(path, world.url)).then((answer) => answer.status);
  assert.equal(await ask(`/media/${token}`), 200);
  for (let at = 0; at < token.length; at += 7) {
    const forged = `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
    assert.equal(await ask(`/media/${forged}`), 404, String(at));
  }
  for (const bad of [token.slice(1), `${token}A`, 'x', `${token}=`]) assert.equal(await ask(`/media/${bad}`), 404, bad);
  const { links } = world.media.door;
  const expired = links.write(customer.tenant, body.id as never, Date.now() - 1000);
  assert.equal(await ask(`/media/${expired}`), 410);
  const other = await world.customer();
  assert.equal(await ask(`/media/${links.write(other.tenant, body.id as never, Date.now() + 60_000)}`), 404);
});

test('parts of a file, and only when it has changed', async () => {
  const bytes = unique(SAMPLES.mp4);
  const { body } = await upload(bytes, 'film.mp4');
  const ask = (headers: Record<string, string>, method = 'GET') => fetch(String(body['url']), { method, headers });
  const part = await ask({ range: 'bytes=4-7' });
  assert.deepEqual([part.status, await part.text()], [206, 'ftyp']);
  assert.equal(part.headers.get('content-range'), `bytes 4-7/${bytes.length}`);
  const end = await ask({ range: 'bytes=-16' });
  assert.deepEqual(Buffer.from(await end.arrayBuffer()), bytes.subarray(-16));
  const beyond = await ask({ range: `bytes=${bytes.length}-` });
  assert.deepEqual([beyond.status, beyond.headers.get('content-range')], [416, `bytes */${bytes.length}`]);
  assert.equal((await ask({ range: 'bytes=0-1,5-6' })).status, 200, 'several');
  assert.equal((await ask({ range: 'bytes=nonsense' })).status, 200, 'nonsense');
  const etag = part.headers.get('etag') ?? '';
  assert.equal((await ask({ 'if-none-match': `W/"x", ${etag}` })).status, 304);
  assert.equal((await ask({ range: 'bytes=4-7', 'if-range': etag })).status, 206);
  assert.equal((await ask({ range: 'bytes=4-7', 'if-range': '"other"' })).status, 200);
  const head = await ask({}, 'HEAD');
  assert.deepEqual(
    [head.status, head.headers.get('content-length'), await head.text()],
    [200, String(bytes.length), ''],
  );
  assert.equal((await ask({ range: 'bytes=4-7' }, 'HEAD')).headers.get('content-length'), String(bytes.length));
});

test('nothing in a file runs, whatever it is', async () => {
  const { body } = await upload(unique(SAMPLES.html).subarray(0, SAMPLES.html.length), '../page.html');
  const answer = await fetch(String(body['url']));
  assert.equal(answer.headers.get('content-type'), 'text/plain; charset=utf-8');
  assert.equal(answer.headers.get('content-disposition'), 'attachment; filename=page.html');
  const pdf = await fetch(String((await upload(unique(SAMPLES.pdf), 'Zürich 你好.pdf')).body['url']));
  assert.equal(pdf.headers.get('content-type'), 'application/pdf');
  assert.match(pdf.headers.get('content-disposition') ?? '', /^inline; filename=".*"; filename\*=UTF-8''Z%C3%BCrich/);
});

test('what is no file, or no good one, is refused and leaves nothing', async () => {
  const before = stored();
  const cases: [string, Promise<Answer>, number, string][] = [
    ['GIF', upload(SAMPLES.gif), 400, 'unsupported_type'],
    ['too large', upload(sized(SAMPLES.jpeg, 5e6 + 1)), 413, 'payload_too_large'],
    ['empty', upload(Buffer.alloc(0)), 400, 'invalid_field'],
    ['another name', send(formOf(SAMPLES.jpeg, 'a.jpg', 'picture')), 400, 'unknown_field'],
    ['no file', send(new FormData()), 400, 'missing_field'],
    ['no body', customer.post(API), 400, 'missing_field'],
    ['no url', customer.post(API, {}), 400, 'missing_field'],
    ['unknown field', customer.post(API, { url: 'https://a.example/b', type: 'image' }), 400, 'unknown_field'],
  ];
  for (const [name, asked, status, error] of cases) {
    const answer = await asked;
    assert.deepEqual([answer.status, answer.body.error], [status, error], name);
  }
  const field = new FormData();
  field.append('file', 'text');
  assert.equal((await send(field)).body.error, 'invalid_field');
  const two = formOf(unique(SAMPLES.jpeg));
  two.append('file', new Blob([new Uint8Array(unique(SAMPLES.jpeg))]), 'b.jpg');
  assert.equal((await send(two)).body.error, 'invalid_field');
  const extra = formOf(unique(SAMPLES.jpeg));
  extra.append('kind', 'image');
  assert.equal((await send(extra)).body.error, 'unknown_field');
  const cut = await fetch(`${world.url}${API}`, {
    method: 'POST',
    headers: { 'x-api-key': customer.key, 'content-type': 'multipart/form-data; boundary=x' },
    body: '--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhalf of it',
  });
  assert.deepEqual([cut.status, ((await cut.json()) as { error: string }).error], [400, 'malformed_form']);
  const unbounded = await fetch(`${world.url}${API}`, {
    method: 'POST',
    headers: { 'x-api-key': customer.key, 'content-type': 'multipart/form-data' },
    body: 'x',
  });
  assert.equal(unbounded.status, 400);
  assert.deepEqual(drafts(), []);
  assert.deepEqual(stored(), before);
});

test('who may not, does not', async () => {
  const key = await world.keyFor(customer.tenant, ['media:read']);
  const reader = { ...customer, key };
  assert.equal((await upload(SAMPLES.jpeg, 'a.jpg', reader)).status, 403);
  assert.equal((await remove('x', reader)).status, 403);
  const writer = await world.keyFor(customer.tenant, ['media:write']);
  assert.equal((await customer.get(API, { authorization: `Bearer ${writer}` })).status, 403);
  assert.equal((await fetch(`${world.url}${API}`)).status, 401);
});

test('an upload that its sender gives up leaves nothing', async () => {
  const request = httpRequest(`${world.url}${API}`, {
    method: 'POST',
    headers: { 'x-api-key': customer.key, 'content-type': 'multipart/form-data; boundary=x' },
  });
  request.on('error', () => {});
  request.write('--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n');
  request.write('a'.repeat(100_000));
  await until('it has begun', () => drafts().length === 1);
  request.destroy();
  await until('it is gone', () => drafts().length === 0);
  await customer.get(API);
  assert.ok(!world.logged.includes('a request was turned away'), 'it is no trouble of ours');
});

test('a large upload is never whole in memory', async () => {
  const size = 60e6;
  const piece = Buffer.alloc(1 << 16, 'All work and no play makes Jack a dull boy.\n');
  const held = heldBytes();
  const answer = await new Promise<{ status: number; body: Answer['body'] }>((resolve, reject) => {
    const request = httpRequest(
      `${world.url}${API}`,
      { method: 'POST', headers: { 'x-api-key': customer.key, 'content-type': 'multipart/form-data; boundary=x' } },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }));
      },
    );
    request.on('error', reject);
    request.write('--x\r\nContent-Disposition: form-data; name="file"; filename="long.txt"\r\n\r\n');
    let written = 0;
    const more = () => {
      while (written < size) {
        written += piece.length;
        if (written % (piece.length << 7) === 0) held.look();
        if (!request.write(piece)) {
          request.once('drain', more);
          return;
        }
      }
      request.end('\r\n--x--\r\n');
    };
    more();
  });
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  assert.equal(answer.body['kind'], 'document');
  assert.ok(held.looks > 5 && held.most < size / 5, `${held.most} bytes at once`);
});

test('a deleted file is gone, its bytes soon after, unless it comes again', async () => {
  const bytes = unique(SAMPLES.jpeg);
  const { id, url, sha256 } = (await upload(bytes)).body;
  assert.deepEqual((await remove(id)).body, { id, deleted: true });
  assert.equal((await remove(id)).status, 404);
  assert.equal((await customer.get(`${API}/${id}`)).status, 404);
  assert.equal((await fetch(String(url))).status, 404);

  const due = { name: 'test_due', text: 'update media_removals set due_at = now()' };
  const job = () =>
    createRemoveMedia({ db: world.db, logger: { warn: () => {} }, files: world.media.files, every: 10 });
  // It comes again before the bytes go: they stay.
  const again = await upload(bytes);
  assert.equal(again.status, 201);
  assert.deepEqual(await world.db.query({ name: 'test_removals', text: 'select from media_removals' }), []);
  assert.equal((await fetch(String(again.body['url']))).status, 200);
  assert.equal((await remove(again.body.id)).status, 200);
  // While they are being removed nobody may count on them.
  await world.db.query(due);
  assert.equal((await takeDueMediaRemovals(world.db, 10, 0)).length, 1);
  const waiting = upload(bytes);
  const removing = job();
  await removing.start();
  const third = await waiting;
  assert.equal(third.status, 201);
  assert.equal((await fetch(String(third.body['url']))).status, 200);
  assert.equal((await remove(third.body.id)).status, 200);
  await world.db.query(due);
  await until('the bytes are gone', () => !stored().includes(String(sha256)));
  await removing.stop();
  assert.ok(!stored().includes(String(sha256)));
});

test('a file that an open message is to send cannot be deleted', async () => {
  const { id } = (await upload(unique(SAMPLES.jpeg))).body;
  const message = await customer.accept({ type: 'image', content: { media_id: String(id) } });
  assert.deepEqual([(await remove(id)).status, (await remove(id)).body.error], [409, 'in_use']);
  assert.equal((await customer.post(`/api/v1/messages/${message}/cancel`)).status, 200);
  assert.equal((await remove(id)).status, 200);
});

test('nor one that a batch is to send which is still being stored', async () => {
  const { id } = (await upload(unique(SAMPLES.jpeg))).body;
  const message = await customer.accept({ type: 'image', content: { media_id: String(id) } });
  const batch = newId<BatchId>();
  const text = `
    with b as (insert into batches (tenant_id, id, total, stored_through, accepted) values ($1, $2, 2, 1, 1)),
    d as (delete from due where message_id = $3)
    update messages set batch_id = $2, batch_index = 0 where tenant_id = $1 and id = $3`;
  await world.db.query({ name: 'test_unfinished', text }, [customer.tenant, batch, message]);
  assert.deepEqual([(await remove(id)).status, (await remove(id)).body.error], [409, 'in_use']);
  await releaseMessages(world.db, customer.tenant, batch);
  await world.db.query({ name: 'test_finished', text: 'update batches set complete = true where id = $1' }, [batch]);
  assert.equal((await remove(id)).status, 409, 'it is due now');
  assert.equal((await customer.post(`/api/v1/messages/${message}/cancel`)).status, 200);
  assert.equal((await remove(id)).status, 200);
});

test('an upload may take longer to arrive than other requests', async (t) => {
  const patience = 200;
  const slow = await doorWorld({}, {}, {}, { request_timeout: patience });
  t.after(() => slow.close());
  const own = await slow.customer();
  /** Sends a body in two parts, with a pause between that is longer than other requests may take. */
  const ask = (path: string, type: string, first: string, rest: string) =>
    new Promise<number>((resolve, reject) => {
      const headers = { 'x-api-key': own.key, 'content-type': type, 'content-length': first.length + rest.length };
      const request = httpRequest(`${slow.url}${path}`, { method: 'POST', headers }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      request.on('error', reject);
      request.write(first);
      setTimeout(() => request.end(rest), 4 * patience);
    });
  const head = '--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nfirst';
  const [upload, other] = await Promise.all([
    ask(API, 'multipart/form-data; boundary=x', head, 'then\r\n--x--\r\n'),
    ask('/api/v1/messages', 'application/json', '{"to": ', '"x"}'),
  ]);
  assert.deepEqual([upload, other], [201, 408]);
});

test('in the dialect of queue-service too', async () => {
  const answer = await send(formOf(unique(SAMPLES.jpeg)), customer, { 'x-api-case': 'camel' });
  const { data } = answer.body as unknown as { data: Record<string, unknown> };
  assert.deepEqual([answer.status, data['mimeType'], data['kind']], [201, 'image/jpeg', 'image']);
});

test('pages of files go to the end', async () => {
  const own = await world.customer();
  const ids: unknown[] = [];
  for (let n = 0; n < 3; n++) ids.unshift((await upload(unique(SAMPLES.png), 'a.png', own)).body.id);
  const first = (await own.get(`${API}?limit=2`)).body;
  const second = (await own.get(`${API}?limit=2&cursor=${first.next_cursor}`)).body;
  const found = [...(first['media'] as { id: string }[]), ...(second['media'] as { id: string }[])];
  assert.deepEqual(
    found.map(({ id }) => id),
    ids,
  );
  assert.equal(second.next_cursor, null);
});
