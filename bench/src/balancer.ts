import { once } from 'node:events';
import { createServer, connect as dial, type Socket } from 'node:net';

/**
 * A TCP balancer, for connections that last: each goes to one of the members, in turn, and ends with it. It looks at no byte.
 */
export interface Balancer extends AsyncDisposable {
  readonly port: number;
  /** Cuts so many of the connections that are there, with a reset, those that `pick` says. @returns how many */
  cut(share: number, random: () => number): number;
  /** Connections that are there. */
  readonly open: number;
}

const HOST = '127.0.0.1';

/** @param members ports of this machine, the next one to ask first; none: a new connection is cut. */
export async function startBalancer(members: () => readonly number[]): Promise<Balancer> {
  const pairs = new Map<Socket, Socket>();
  const end = (client: Socket): void => {
    pairs.get(client)?.resetAndDestroy();
    pairs.delete(client);
    client.resetAndDestroy();
  };
  const server = createServer((client) => {
    const [port] = members();
    if (port === undefined) {
      client.resetAndDestroy();
      return;
    }
    const behind = dial({ host: HOST, port });
    pairs.set(client, behind);
    for (const socket of [client, behind]) {
      socket.setNoDelay();
      socket.on('error', () => end(client));
    }
    client.on('close', () => {
      pairs.delete(client);
      behind.destroy();
    });
    behind.on('close', () => client.destroy());
    client.pipe(behind);
    behind.pipe(client);
  }).listen(0, HOST);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the balancer has no port');
  return {
    port: address.port,
    cut(share, random) {
      const some = [...pairs.keys()].filter(() => random() < share);
      for (const client of some) end(client);
      return some.length;
    },
    get open() {
      return pairs.size;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      for (const client of [...pairs.keys()]) end(client);
    },
  };
}
