import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, beforeEach, test } from 'node:test';
import { type Ended, runAldis } from './run-aldis.ts';

const TO = '+6281234567890';
const FILE = '0193f000-0000-7000-8000-000000000001';

let server: Server;
let folder: string;
/** What the server was asked, in order: its path, its content type and its body. */
let asked: { path: string; type: string; body: string }[] = [];
/** How often a file is not taken before it is. */
let troubles = 0;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aldis-send-'));
  server = createServer((request, response) => {
    void text(request).then((body) => {
      const { url: path = '', headers } = request;
      asked.push({ path, type: headers['content-type'] ?? '', body });
      const isFile = path === '/api/v1/media';
      if (isFile && troubles-- > 0) response.writeHead(503).end('{"error": "unavailable"}');
      else if (isFile) response.writeHead(201).end(JSON.stringify({ id: FILE, kind: 'image' }));
      else
        response
          .writeHead(202)
          .end(JSON.stringify({ id: 'm1', state: 'queued', to: TO, warnings: ['sent_as_template'] }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
after(async () => {
  server.close();
  server.closeAllConnections();
  await rm(folder, { recursive: true });
});
beforeEach(() => {
  asked = [];
  troubles = 0;
});

function aldis(...args: string[]): Promise<Ended> {
  const { port } = server.address() as AddressInfo;
  return runAldis(['send', TO, ...args], { ALDIS_URL: `http://127.0.0.1:${port}`, ALDIS_API_KEY: 'aldis_k' }).ended;
}

/** What would be asked for, without the addressee. */
async function rehearsed(...args: string[]): Promise<unknown> {
  const { code, stdout, stderr } = await aldis(...args, '--dry-run');
  assert.equal(code, 0, stderr);
  const { to, ...body } = JSON.parse(stdout) as { to: string };
  assert.equal(to, TO);
  return body;
}

test('each kind of content has its option', async () => {
  const card = { name: { formatted_name: 'Ana B', first_name: 'Ana' } };
  const interactive = {
    type: 'location_request_message',
    body: { text: 'Where, {name}?' },
    action: { name: 'send_location' },
  };
  await writeFile(join(folder, 'ask.json'), JSON.stringify(interactive));
  const cases: [string[], unknown][] = [
    [
      ['--image', 'https://a.example/a', 'See'],
      { type: 'image', content: { text: 'See', media_url: 'https://a.example/a' } },
    ],
    [['--sticker', FILE], { type: 'sticker', content: { media_id: FILE } }],
    [
      ['--audio', 'https://a.example/a.ogg', '--voice'],
      { type: 'audio', content: { media_url: 'https://a.example/a.ogg', voice: true } },
    ],
    [
      ['--document', 'https://a.example/a.pdf', '--filename', 'Bill.pdf'],
      { type: 'document', content: { media_url: 'https://a.example/a.pdf', filename: 'Bill.pdf' } },
    ],
    [
      ['--location', '-6.1754,106.8272', '--location-name', 'Monas'],
      { content: { location: { latitude: -6.1754, longitude: 106.8272, name: 'Monas' } } },
    ],
    [['--contact-json', JSON.stringify(card)], { content: { contacts: [card] } }],
    [['--reaction', '👍', '--reply-to', 'wamid.A'], { content: { reaction: { message_id: 'wamid.A', emoji: '👍' } } }],
    [['--reaction', '', '--reply-to', 'wamid.A'], { content: { reaction: { message_id: 'wamid.A', emoji: '' } } }],
    [
      ['--interactive', `@${join(folder, 'ask.json')}`, '--var', 'name=Ana'],
      { content: { interactive }, variables: { name: 'Ana' } },
    ],
    [
      ['--template', 'otp', '--params', 'code', '--button', '0={code}', '--button', '2=x', '--var', 'code=123'],
      {
        template: {
          name: 'otp',
          language: 'en',
          components: [
            { type: 'body', parameters: [{ type: 'text', text: '123' }] },
            { type: 'button', sub_type: 'url', index: '0', parameters: [{ type: 'text', text: '123' }] },
            { type: 'button', sub_type: 'url', index: '2', parameters: [{ type: 'text', text: 'x' }] },
          ],
        },
      },
    ],
    [
      ['--template', 'hi', '--params', 'first', '--named', '--var', 'first=Ana'],
      {
        template: {
          name: 'hi',
          language: 'en',
          components: [{ type: 'body', parameters: [{ type: 'text', parameter_name: 'first', text: 'Ana' }] }],
        },
      },
    ],
    [['https://a.example', '--preview'], { content: { text: 'https://a.example', preview_url: true } }],
    [
      ['Hello', '--fallback-template', 'come_back', '--fallback-params', 'name', '--var', 'name=Ana'],
      {
        content: { text: 'Hello' },
        fallback_template: {
          name: 'come_back',
          language: 'en',
          components: [{ type: 'body', parameters: [{ type: 'text', text: 'Ana' }] }],
        },
      },
    ],
  ];
  const bodies = await Promise.all(cases.map(([args]) => rehearsed(...args)));
  cases.forEach(([args, body], i) => {
    assert.deepEqual(bodies[i], body, args.join(' '));
  });
  assert.deepEqual(asked, []);
});

test('a file of this machine is uploaded, again if need be, and sent by its id', async () => {
  const path = join(folder, 'a picture.png');
  await writeFile(path, 'not really a picture');
  troubles = 1;
  const { code, stdout, stderr } = await aldis('See', '--image', path);
  assert.equal(code, 0, stderr);
  assert.equal(stdout, 'm1 queued\n');
  assert.match(stderr, /warning: sent_as_template/);
  assert.deepEqual(
    asked.map((one) => one.path),
    ['/api/v1/media', '/api/v1/media', '/api/v1/messages'],
  );
  const [, upload, message] = asked;
  assert.match(upload?.type ?? '', /^multipart\/form-data; boundary=/);
  assert.match(upload?.body ?? '', /name="file"; filename="a picture\.png"[\s\S]*not really a picture/);
  assert.deepEqual(JSON.parse(message?.body ?? ''), {
    to: TO,
    type: 'image',
    content: { text: 'See', media_id: FILE },
  });
});

test('what makes no message is exit code 2, and asks for nothing', async () => {
  const wrong: [string[], RegExp][] = [
    [['--image', 'a.png', '--video', 'b.mp4'], /a message is one thing/],
    [['--image', join(folder, 'missing.png')], /missing\.png cannot be read/],
    [['--location', '91,0'], /Write latitude and longitude/],
    [['--location', '1'], /Write latitude and longitude/],
    [['x', '--location-name', 'Monas'], /belong to --location/],
    [['--contact-json', '7'], /Write a card/],
    [['--interactive', '[]'], /Write an object/],
    [['--interactive', '@/nonexistent.json'], /cannot be read/],
    [['--reaction', '👍'], /needs --reply-to/],
    [['x', '--voice'], /--voice belongs to --audio/],
    [['x', '--filename', 'a.pdf'], /--filename belongs to/],
    [['--template', 'a', '--sticker', 'a.webp'], /a template brings its own media/],
    [['--template', 'a', '--fallback-template', 'b'], /needs no --fallback-template/],
    [['x', '--fallback-language', 'en'], /belong to --fallback-template/],
    [['--preview'], /nothing to send/],
  ];
  const ended = await Promise.all(wrong.map(async ([args]) => aldis(...args)));
  wrong.forEach(([args, why], i) => {
    const { code, stderr } = ended[i] as Ended;
    assert.equal(code, 2, args.join(' ') + stderr);
    assert.match(stderr, why, args.join(' '));
  });
  assert.deepEqual(asked, []);
});
