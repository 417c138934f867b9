import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { newId } from '../../src/domain/ids.ts';
import { newPhone } from '../engine-world.ts';
import { SAMPLES } from '../media-samples.ts';
import { until } from '../until.ts';
import { type Answer, type Customer, type DoorWorld, doorWorld } from './door-world.ts';

/* What only somebody sends who is up to something: each is refused in a moment, and nothing of it is left. */

let world: DoorWorld;
let customer: Customer;
before(async () => {
  world = await doorWorld({}, {}, {}, { body_limit: 1 << 20 });
  customer = await world.customer();
});
after(async () => {
  await world.close();
  // Nothing was a mistake of ours.
  assert.ok(!world.logged.includes('a request failed'));
});

/** Writes bytes as they are, and reads until the door closes. */
async function raw(bytes: string | Buffer): Promise<{ status: number; head: string; body: Answer['body'] }> {
  const { hostname, port } = new URL(world.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  // Without an answer by then there is none.
  socket.setTimeout(5000, () => socket.destroy());
  socket.write(bytes);
  const answer = await text(socket).catch(() => '');
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  return { status: Number(head.split(' ')[1]), head, body: body.startsWith('{') ? JSON.parse(body) : {} };
}

/** Posts to the media route with these lines in its head. */
function post(lines: string, body: string | Buffer) {
  const head = `POST /api/v1/media HTTP/1.1\r\nHost: x\r\nx-api-key: ${customer.key}\r\nconnection: close\r\n${lines}`;
  return raw(
    Buffer.concat([Buffer.from(`${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n`), Buffer.from(body)]),
  );
}

const form = (body: string | Buffer, boundary = 'XX') =>
  post(`content-type: multipart/form-data; boundary=${boundary}\r\n`, body);
const part = (head: string, body: string) => `--XX\r\n${head}\r\n\r\n${body}\r\n`;
const FILE = 'content-disposition: form-data; name="file"; filename="x.txt"';
const files = () =>
  ['drafts', 'media'].flatMap((folder) =>
    readdirSync(join(world.media.folder, folder), { recursive: true, withFileTypes: true }).filter((one) =>
      one.isFile(),
    ),
  );

test('forms that no browser makes', async () => {
  const named = (name: string) => `content-disposition: form-data; ${name}`;
  const cases: [what: string, body: string, error: string, boundary?: string][] = [
    ['nothing', '', 'missing_field'],
    ['no part', '--XX--\r\n', 'missing_field'],
    ['a boundary that is too long', 'x', 'malformed_form', 'x'.repeat(5000)],
    ['no end', part(FILE, 'text'), 'malformed_form'],
    ['half a head', `--XX\r\n${FILE}`, 'malformed_form'],
    ['no beginning', 'x'.repeat(1_000_000), 'malformed_form'],
    ['many fields', `${part(named('name="a"'), 'b').repeat(5000)}--XX--\r\n`, 'unknown_field'],
    ['many fields called file', `${part(named('name="file"'), 'b').repeat(5000)}--XX--\r\n`, 'invalid_field'],
    ['many files', `${part(FILE, 'text').repeat(500)}--XX--\r\n`, 'invalid_field'],
    [
      'a name without an end',
      `${part(named(`name="${'f'.repeat(100_000)}"; filename="x"`), 'a')}--XX--\r\n`,
      'unknown_field',
    ],
    ['a part without a name', `${part(named('filename="x"'), 'a')}--XX--\r\n`, 'unknown_field'],
    ['no disposition', `${part('content-type: text/plain', 'a')}--XX--\r\n`, 'missing_field'],
    ['a name of the language', `${part(named('name="__proto__"; filename="x"'), 'a')}--XX--\r\n`, 'malformed_form'],
  ];
  for (const [what, body, error, boundary] of cases) {
    const began = performance.now();
    const answer = await form(body, boundary);
    assert.deepEqual([answer.status, answer.body.error], [400, error], what);
    assert.ok(performance.now() - began < 3000, what);
    assert.ok(JSON.stringify(answer.body).length < 1000, what);
  }
  assert.deepEqual(files(), []);
});

test('heads of parts without an end are not kept', async () => {
  for (const more of ['x-a: b\r\n'.repeat(100_000), `x-a: ${'b'.repeat(1_000_000)}\r\n`]) {
    const { status } = await form(`${part(`${FILE}\r\n${more}x: y`, 'text of it')}--XX--\r\n`);
    assert.ok([200, 201, 400].includes(status), `${status}`);
  }
});

test('a name is what is left of it behind all paths, and no header is made of it', async () => {
  const odd = 'file; filename="..\\\\..\\\\/etc/a\u202egpj\x01\x07\';<b>.txt"';
  const made = await form(
    `${part(`content-disposition: form-data; name="file"; ${odd.slice(6)}`, 'some text')}--XX--\r\n`,
  );
  assert.equal(made.status, 201, made.body.message);
  const name = String(made.body['filename']);
  assert.doesNotMatch(name, /[\p{Cc}/\\]/u);
  const link = new URL(String(made.body['url'])).pathname;
  const { headers } = await fetch(world.url + link);
  assert.match(headers.get('content-disposition') ?? '', /^attachment; filename=/);
  assert.equal(headers.get('content-type'), 'text/plain; charset=utf-8');
});

test('links lead to the host that a request named, when that is one', async () => {
  const list = (host: string) =>
    raw(`GET /api/v1/media HTTP/1.1\r\nHost: ${host}\r\nx-api-key: ${customer.key}\r\nconnection: close\r\n\r\n`);
  for (const host of ['', '[', 'a b', 'a/b', '%zz', 'a:b:c', 'user@evil.example', 'a:99999999', 'a?b', 'a#b', '"']) {
    const answer = await list(host);
    assert.deepEqual(
      [answer.status, answer.body.error, answer.body.details?.field],
      [400, 'invalid_field', 'Host'],
      host,
    );
  }
  for (const host of ['api.example', 'api.example:8443', '127.0.0.1:80', '[::1]:8080', 'aldis_server']) {
    const answer = await list(host);
    assert.equal(answer.status, 200, host);
    for (const { url } of answer.body['media'] as { url: string }[])
      assert.ok(url.startsWith(`http://${host}/media/`.replace(':80/', '/')), url);
  }
});

test('ranges: one is answered, many and none are the whole, and no number is too large', async () => {
  const body = new FormData();
  body.append('file', new Blob([new Uint8Array(SAMPLES.jpeg)]), 'x.jpg');
  const made = await fetch(`${world.url}/api/v1/media`, {
    method: 'POST',
    headers: { 'x-api-key': customer.key },
    body,
  });
  const link = new URL(((await made.json()) as { url: string }).url).pathname;
  const size = SAMPLES.jpeg.length;
  const cases: [range: string, status: number, length: number][] = [
    ['bytes=0-0', 206, 1],
    ['bytes=-1', 206, 1],
    [`bytes=-${size}`, 206, size],
    ['bytes=-99999999999', 206, size],
    ['bytes=0-99999999999999999999999', 206, size],
    ['bytes=-0', 416, 0],
    ['bytes=5-2', 416, 0],
    ['bytes=99999999999999999999-', 416, 0],
    ['bytes=a-b', 200, size],
    ['bytes=--1', 200, size],
    ['bytes=', 200, size],
    ['items=0-1', 200, size],
    [`bytes=${'0-0,'.repeat(3000)}`, 200, size],
    ['bytes=0-0,2-2,4-4,6-6,-1', 200, size],
  ];
  for (const [range, status, length] of cases) {
    const answer = await fetch(world.url + link, { headers: { range } });
    assert.deepEqual([answer.status, (await answer.arrayBuffer()).byteLength], [status, length], range.slice(0, 40));
  }
});

test('one tenant takes a part of the room for uploads, and the others find theirs', async (t) => {
  const other = await world.customer();
  const sockets = Array.from({ length: 16 }, () => {
    const { hostname, port } = new URL(world.url);
    const socket = connect(Number(port), hostname).on('error', () => {});
    const lines = `x-api-key: ${customer.key}\r\ncontent-type: multipart/form-data; boundary=XX\r\ncontent-length: 9999`;
    socket.write(`POST /api/v1/media HTTP/1.1\r\nHost: x\r\n${lines}\r\n\r\n--XX\r\n${FILE}\r\n\r\nbegun`);
    return socket;
  });
  const letGo = () => {
    for (const socket of sockets) socket.destroy();
  };
  t.after(letGo);
  const upload = (own: Customer) => {
    const body = new FormData();
    body.append('file', new Blob(['a text']), 'x.txt');
    return fetch(`${world.url}/api/v1/media`, { method: 'POST', headers: { 'x-api-key': own.key }, body });
  };
  await until('all have begun', () => readdirSync(join(world.media.folder, 'drafts')).length === sockets.length);
  assert.equal((await upload(customer)).status, 503);
  assert.ok((await upload(other)).status < 300);
  const url = await customer.post('/api/v1/media', { url: 'http://127.0.0.1:1/x' });
  assert.deepEqual([url.status, url.body.error, url.headers.get('retry-after')], [503, 'overloaded', '5']);
  letGo();
  await until('there is room again', async () => (await upload(customer)).status < 300);
});

test('names and texts without an end cost no time, in either dialect', async () => {
  const long = 'a'.repeat(900_000);
  const { id } = (await customer.post('/api/v1/contacts', { phone: newPhone() })).body;
  const asked: [path: string, body: object | string][] = [
    ['/api/v1/messages', { [long]: 1 }],
    ['/api/v1/messages', { [`a_${long}`]: 1 }],
    ['/api/v1/messages', { to: newPhone(), content: { [long]: 1 } }],
    ['/api/v1/messages', { to: newPhone(), content: { text: 'x' }, variables: { [long]: {} } }],
    ['/api/v1/messages', { to: newPhone(), content: { text: '{a'.repeat(400_000) } }],
    ['/api/v1/messages', { to: newPhone(), content: { text: '{{ '.repeat(300_000) } }],
    ['/api/v1/messages', { to: `+${'1'.repeat(900_000)}`, content: { text: 'x' } }],
    ['/api/v1/messages', { to: newPhone(), content: { media_url: `https://${long}` } }],
    ['/api/v1/messages', { to: newPhone(), template: { name: 'x', language: 'en', components: [{ [long]: [] }] } }],
    ['/api/v1/messages', { to: newPhone(), content: { interactive: { type: long } } }],
    ['/api/v1/contacts', { phone: newPhone(), language: 'en_aa'.repeat(100_000) }],
    ['/api/v1/contacts', { phone: newPhone(), attributes: { [long]: 1 } }],
    [`/api/v1/contacts/${id}/consent`, { scope: 'all', state: 'out', detail: long }],
    ['/api/v1/media', { url: `http://${long}` }],
    ['/api/v1/exports', { kind: 'contacts', format: 'csv', filter: { attribute: long } }],
    ['/api/v1/exports', { kind: 'contacts', format: 'csv', filter: { [long]: 1 } }],
    ...['{', '{{', '{{ ', '{{a', '}}  ', ' ', '\n', '\t', '*', 'a{{1'].map((piece): [string, object] => [
      '/api/v1/templates/preview',
      {
        definition: { category: 'utility', components: [{ type: 'BODY', text: piece.repeat(400_000 / piece.length) }] },
      },
    ]),
  ];
  for (const [path, body] of asked) {
    for (const spoken of ['snake', 'camel']) {
      const began = performance.now();
      const answer = await customer.post(path, body, { 'x-api-case': spoken });
      const what = `${spoken} ${path} ${JSON.stringify(body).slice(0, 80)}`;
      assert.equal(answer.status, 400, `${what}: ${answer.status}`);
      assert.ok(performance.now() - began < 3000, `${what} took ${performance.now() - began} ms`);
      assert.ok(JSON.stringify(answer.body).length < 2000, `${what} is answered with as much`);
    }
  }
});

test('JSON that goes down without an end is refused', async () => {
  const down = (times: number) => `${'['.repeat(times)}${']'.repeat(times)}`;
  for (const times of [20, 5000, 400_000]) {
    const bodies: [path: string, body: string][] = [
      ['/api/v1/messages', `{"to": "+628123456789", "content": {"text": "x"}, "metadata": {"a": ${down(times)}}}`],
      [
        '/api/v1/messages',
        `{"to": "+628123456789", "content": {"interactive": {"type": "flow", "a": ${down(times)}}}}`,
      ],
      ['/api/v1/messages', `{"to": "+628123456789", "content": {"contacts": [{"a": ${down(times)}}]}}`],
      [
        '/api/v1/messages',
        `{"to": "+628123456789", "template": {"name": "a", "language": "en", "components": [{"a": ${down(times)}}]}}`,
      ],
      ['/api/v1/contacts', `{"phone": "+628123456789", "attributes": {"a": ${down(times)}}}`],
      [
        '/api/v1/templates/preview',
        `{"definition": {"category": "utility", "components": [{"type": "BODY", "text": "x", "a": ${down(times)}}]}}`,
      ],
    ];
    for (const [path, body] of bodies) {
      const { status, body: told } = await customer.post(path, body);
      assert.deepEqual([status, told.error], [400, 'invalid_field'], `${path} ${times}`);
    }
  }
});

test('what stands for many in a search stands for itself', async () => {
  const { tenant } = await world.customer();
  const key = await world.keyFor(tenant, ['contacts:read', 'contacts:write', 'templates:read']);
  const own = { 'x-api-key': key };
  await customer.post('/api/v1/contacts', { phone: newPhone(), name: 'Ana' }, own);
  await customer.post('/api/v1/contacts', { phone: newPhone(), name: '%_\\' }, own);
  const named = async (name: string) => {
    const authorization = `Bearer ${key}`;
    const { body } = await customer.get(`/api/v1/contacts?name=${encodeURIComponent(name)}`, { authorization });
    return (body['contacts'] as { name: string }[]).map((one) => one.name);
  };
  assert.deepEqual(await named('%'), ['%_\\']);
  assert.deepEqual(await named('_'), []);
  assert.deepEqual(await named('%_\\'), ['%_\\']);
  assert.deepEqual(await named('.*'), []);
  assert.deepEqual(await named('an'), ['Ana']);
});

test("a customer's file is served by its name without harm, whatever he called it", async () => {
  const names = [
    'a\r\nset-cookie: x=1.txt',
    '"; filename=b.html',
    '\ud800half.txt',
    '../../etc/passwd',
    'é%0d%0a.txt',
    ' ',
  ];
  for (const [i, filename] of names.entries()) {
    const body = new FormData();
    body.append('file', new Blob([`text ${i} ${newId()}`]), 'x.txt');
    const made = await fetch(`${world.url}/api/v1/media`, {
      method: 'POST',
      headers: { 'x-api-key': customer.key },
      body,
    });
    const { id, url } = (await made.json()) as { id: string; url: string };
    await world.db.query(
      { name: 'test_rename', text: 'update media set filename = $3 where tenant_id = $1 and id = $2' },
      [customer.tenant, id, filename],
    );
    const { status, headers } = await fetch(world.url + new URL(url).pathname);
    assert.equal(status, 200, filename);
    assert.equal(headers.get('set-cookie'), null);
    assert.match(headers.get('content-disposition') ?? '', /^attachment/);
  }
});
