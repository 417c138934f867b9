import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, connect as dial, type Socket } from 'node:net';
import { test } from 'node:test';
import { startBalancer } from '../src/balancer.ts';
import { until } from '../src/wait.ts';

/** Says its name and then what it hears. */
async function member(name: string): Promise<{ port: number; kill(): void } & AsyncDisposable> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).write(name);
    socket.pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address && typeof address === 'object');
  const kill = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    port: address.port,
    kill,
    async [Symbol.asyncDispose]() {
      kill();
      server.close();
    },
  };
}

function client(port: number) {
  const socket = dial(port, '127.0.0.1').setEncoding('utf8');
  let heard = '';
  let ended = false;
  socket.on('data', (text) => {
    heard += text;
  });
  socket
    .on('error', () => {})
    .on('close', () => {
      ended = true;
    });
  return {
    say: (text: string) => void socket.write(text),
    hears: (text: string) => until(`hearing ${text}`, () => heard === text || null),
    ends: () => until('the end', () => ended || null),
    get ended() {
      return ended;
    },
  };
}

test('connections go to members in turn, are cut by choice, and end with their member', async () => {
  await using one = await member('one');
  await using two = await member('two');
  let members = [one.port, two.port];
  await using balancer = await startBalancer(() => {
    members.reverse();
    return members;
  });
  const clients = [client(balancer.port), client(balancer.port)] as const;
  await clients[0].hears('two');
  await clients[1].hears('one');
  clients[0].say(' hears');
  await clients[0].hears('two hears');
  assert.equal(balancer.open, 2);
  two.kill();
  await clients[0].ends();
  assert.equal(clients[1].ended, false, 'the other one lasts');
  await until('one to be left', () => balancer.open === 1 || null);
  assert.equal(
    balancer.cut(0.5, () => 0.7),
    0,
  );
  assert.equal(
    balancer.cut(0.5, () => 0.3),
    1,
  );
  await clients[1].ends();
  members = [];
  await client(balancer.port).ends();
  assert.equal(balancer.open, 0);
});
