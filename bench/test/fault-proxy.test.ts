import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startFaultProxy } from '../src/fault-proxy.ts';

/** Says again what it hears. */
async function echo(): Promise<{ port: number } & AsyncDisposable> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address && typeof address === 'object');
  return {
    port: address.port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

interface Caller {
  say(text: string): void;
  /** All that was heard once it is as long as this, or how the connection ended. */
  hears(length: number): Promise<string>;
}

async function call(port: number): Promise<Caller> {
  const socket = dial(port, '127.0.0.1');
  let heard = '';
  let ended: string | null = null;
  socket.setEncoding('utf8');
  socket.on('data', (text: string) => {
    heard += text;
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    ended = error.code ?? 'error';
  });
  await once(socket, 'connect');
  return {
    say: (text) => socket.write(text),
    async hears(length) {
      while (heard.length < length && ended === null) await sleep(2);
      return ended ?? heard;
    },
  };
}

test('a connection passes through, is cut by a reset, and a new one passes', async () => {
  await using server = await echo();
  await using proxy = await startFaultProxy(server.port);
  assert.equal(proxy.through(`postgres://a:b@127.0.0.1:${server.port}/c`), `postgres://a:b@127.0.0.1:${proxy.port}/c`);
  const first = await call(proxy.port);
  first.say('one');
  assert.equal(await first.hears(3), 'one');
  assert.equal(proxy.cut(), 1);
  assert.equal(await first.hears(4), 'ECONNRESET');
  const second = await call(proxy.port);
  second.say('two');
  assert.equal(await second.hears(3), 'two');
});

test('a stranded connection hears nothing more and is told nothing, while a new one passes', async () => {
  await using server = await echo();
  await using proxy = await startFaultProxy(server.port);
  const old = await call(proxy.port);
  old.say('a');
  assert.equal(await old.hears(1), 'a');
  assert.equal(proxy.strand(), 1);
  assert.equal(proxy.open, 0);
  old.say('b');
  const fresh = await call(proxy.port);
  fresh.say('c');
  assert.equal(await fresh.hears(1), 'c');
  assert.equal(await old.hears(1), 'a');
  proxy.silence();
  const mute = await call(proxy.port);
  mute.say('d');
  await proxy.heal();
  const healed = await call(proxy.port);
  healed.say('e');
  assert.equal(await healed.hears(1), 'e');
  assert.equal(await mute.hears(0), '');
});

test('new connections are refused until it heals, on the same port', async () => {
  await using server = await echo();
  await using proxy = await startFaultProxy(server.port);
  const there = await call(proxy.port);
  await proxy.refuse();
  await assert.rejects(call(proxy.port), { code: 'ECONNREFUSED' });
  there.say('still');
  assert.equal(await there.hears(5), 'still');
  await proxy.heal();
  const again = await call(proxy.port);
  again.say('x');
  assert.equal(await again.hears(1), 'x');
});

test('what passes may be late, and be cut after so many bytes', async () => {
  await using server = await echo();
  await using proxy = await startFaultProxy(server.port);
  proxy.delay(30);
  const slow = await call(proxy.port);
  const began = performance.now();
  slow.say('z');
  assert.equal(await slow.hears(1), 'z');
  assert.ok(performance.now() - began >= 59);
  await proxy.heal();
  const short = await call(proxy.port);
  proxy.cutAfter(2);
  short.say('abcdef');
  assert.equal(await short.hears(6), 'ECONNRESET');
});
