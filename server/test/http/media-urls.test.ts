import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { SAMPLES } from '../media-samples.ts';
import { until } from '../until.ts';
import { type Customer, type DoorWorld, doorWorld } from './door-world.ts';

/*
 * Files by URL, from a server that misbehaves in every way. It listens on 127.0.0.1, which is allowed here; all other addresses
 * of the machine are not.
 */
const MOST = 200_000;
const FETCH_TIMEOUT = 700;

let world: DoorWorld;
let customer: Customer;
let server: Server;
let at = '';
let answer: RequestListener = (_request, response) => response.end();
let open = 0;

before(async () => {
  server = createServer((request, response) => answer(request, response));
  server.on('connection', (socket) => {
    open++;
    socket.on('close', () => open--);
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  at = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  world = await doorWorld({}, {}, { maxFileSize: MOST, allowed: ['127.0.0.1'], fetchTimeout: FETCH_TIMEOUT });
  customer = await world.customer();
});
after(async () => {
  await world.close();
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  answer = (_request, response) => response.end();
});

const post = (url: string, more: object = {}) => customer.post('/api/v1/media', { url, ...more });
const jpeg = () => Buffer.concat([SAMPLES.jpeg, randomBytes(500)]);

function nothingLeft(): void {
  assert.deepEqual(readdirSync(join(world.media.folder, 'drafts')), []);
}

async function refused(url: string, status: number, error: string, message?: RegExp): Promise<void> {
  const before = readdirSync(join(world.media.folder, 'media'), { recursive: true }).length;
  const { status: got, body } = await post(url);
  assert.deepEqual([got, body.error], [status, error], body.message);
  if (message) assert.match(body.message, message);
  nothingLeft();
  assert.equal(readdirSync(join(world.media.folder, 'media'), { recursive: true }).length, before);
}

test('a file is fetched, whatever type its server tells', async () => {
  const bytes = jpeg();
  answer = (_request, response) => response.setHeader('content-type', 'text/html').end(bytes);
  const { status, body } = await post(`${at}/some/picture%20one.gif?x=1`);
  assert.equal(status, 201, body.message);
  assert.deepEqual(
    [body['kind'], body['source'], body['filename'], body['size']],
    ['image', 'url', 'picture one.gif', bytes.length],
  );
  assert.deepEqual(Buffer.from(await (await fetch(String(body['url']))).arrayBuffer()), bytes);
  assert.equal((await post(`${at}/again`, { filename: 'mine.jpg' })).status, 200);
  nothingLeft();
});

test('a file that is another type than is told is what it is', async () => {
  answer = (_request, response) => response.setHeader('content-type', 'image/jpeg').end(SAMPLES.gif);
  await refused(`${at}/a.jpg`, 400, 'unsupported_type', /takes no GIF/);
});

test('redirects are followed a few times, and each is checked', async () => {
  const bytes = jpeg();
  answer = (request, response) => {
    const left = Number(request.url?.slice(1));
    if (left > 0) response.writeHead(302, { location: `/${left - 1}` }).end('not here');
    else response.end(bytes);
  };
  assert.equal((await post(`${at}/3`)).status, 201);
  await refused(`${at}/4`, 400, 'invalid_media_url', /on and on/);
  for (const [location, why] of [
    [at.replace('127.0.0.1', '127.0.0.2'), /127\.0\.0\.2 may not be called: loopback/],
    ['http://169.254.169.254/latest/meta-data', /may not be called/],
    ['http://[::1]/', /may not be called/],
    ['file:///etc/passwd', /neither http nor https/],
    ['http://user:word@127.0.0.1/', /name or a password/],
    ['http://[', /no valid URL/],
  ] as const) {
    answer = (_request, response) => response.writeHead(307, { location }).end();
    await refused(`${at}/x`, 400, 'invalid_media_url', why);
  }
});

test('a URL that leads inwards, or nowhere, is refused', async () => {
  await refused('http://127.0.0.2/x', 400, 'invalid_media_url', /loopback/);
  await refused('http://10.1.2.3/x', 400, 'invalid_media_url', /private/);
  await refused('ftp://127.0.0.1/x', 400, 'invalid_media_url', /neither http nor https/);
  await refused('no url', 400, 'invalid_media_url', /not valid/);
  await refused('http://127.0.0.1:1/x', 422, 'media_not_fetched', /ECONNREFUSED/);
  await refused('http://nowhere.invalid/x', 422, 'media_not_fetched');
});

test('no file comes', async () => {
  for (const status of [204, 304, 401, 404, 500]) {
    answer = (_request, response) => response.writeHead(status).end();
    await refused(`${at}/x`, 422, 'media_not_fetched', new RegExp(`HTTP ${status}`));
  }
  answer = (_request, response) => response.end();
  await refused(`${at}/empty`, 400, 'invalid_field', /empty/);
  answer = (request) => request.socket.destroy();
  await refused(`${at}/gone`, 422, 'media_not_fetched');
});

test('a file that says it is too long is not read, one that is so and says nothing is not read on', async () => {
  answer = (_request, response) => {
    response.writeHead(200, { 'content-length': String(MOST + 1) });
    response.write(SAMPLES.jpeg);
  };
  await refused(`${at}/long`, 413, 'payload_too_large');
  answer = (_request, response) => {
    const more = () => {
      while (response.write(Buffer.alloc(16_384)));
    };
    response.on('drain', more);
    more();
  };
  await refused(`${at}/endless`, 413, 'payload_too_large');
  await until('its connections are closed', () => open <= 1);
  assert.ok(open <= 1);
});

test('a length that is a lie is noticed', async () => {
  answer = (_request, response) => {
    response.writeHead(200, { 'content-length': '5000' });
    response.write(jpeg(), () => response.socket?.destroy());
  };
  await refused(`${at}/less`, 422, 'media_not_fetched');
  answer = (_request, response) => {
    response.socket?.end(
      Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n'), SAMPLES.jpeg, Buffer.alloc(900)]),
    );
  };
  const more = await post(`${at}/more`);
  if (more.status === 201) assert.equal(more.body['size'], 100, 'no byte more than was told');
  else assert.equal(more.body.error, 'media_not_fetched');
  nothingLeft();
});

test('a file that comes byte by byte, or stops coming, is given up', async () => {
  answer = (_request, response) => {
    response.write(SAMPLES.jpeg);
    const drip = setInterval(() => response.write('x'), 50);
    response.on('close', () => clearInterval(drip));
  };
  await refused(`${at}/drip`, 422, 'media_not_fetched', /timeout|time/i);
  answer = (_request, response) => void response.write(SAMPLES.jpeg);
  await refused(`${at}/stops`, 422, 'media_not_fetched');
  answer = () => {};
  await refused(`${at}/silent`, 422, 'media_not_fetched');
});
