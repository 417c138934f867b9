import { once } from 'node:events';
import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * A TCP proxy on loopback that makes trouble between a client and a server: cut, silent, late, refused. It changes no byte.
 */
export interface FaultProxy extends AsyncDisposable {
  readonly port: number;
  /** An address of what is behind it, leading through it. */
  through(url: string): string;
  /** Cuts every connection at once, with a reset. New ones work. @returns how many there were */
  cut(): number;
  /**
   * Half-open: nothing more passes on the connections that are there, in either direction, and nobody is told; they stay so
   * for ever, as when a firewall has forgotten them. New ones work. @returns how many there were
   */
  strand(): number;
  /** Half-open for new ones too, which are taken and never answered; until `heal`, which leaves the stranded ones as they are. */
  silence(): void;
  /** New connections are refused; those that are there go on. Until `heal`. */
  refuse(): Promise<void>;
  /** Each part of a stream passes so many milliseconds later, in both directions. 0: at once. */
  delay(ms: number): void;
  /** From now on each connection is reset after the server has sent so many bytes more on it. null: never. */
  cutAfter(bytes: number | null): void;
  /** Ends `silence`, `refuse`, `delay` and `cutAfter`. */
  heal(): Promise<void>;
  /** Connections that pass now, stranded ones left out. */
  readonly open: number;
}

interface Pair {
  client: Socket;
  server: Socket | null;
  stranded: boolean;
  /** Bytes that the server may still send; null: any. */
  left: number | null;
}

const HOST = '127.0.0.1';

/** Starts a proxy before a port of this machine, on a port of its own that it keeps. */
export async function startFaultProxy(to: number): Promise<FaultProxy> {
  const pairs = new Set<Pair>();
  let silent = false;
  let late = 0;
  let most: number | null = null;

  function end(pair: Pair): void {
    pairs.delete(pair);
    pair.client.resetAndDestroy();
    pair.server?.resetAndDestroy();
  }

  /** Hands on what comes, in order. What one side has ended is ended for the other. */
  async function carry(pair: Pair, from: Socket, into: Socket, counted: boolean): Promise<void> {
    try {
      for await (const part of from as AsyncIterable<Buffer>) {
        if (late > 0) await sleep(late);
        // What comes on a stranded connection is lost; it is read so that the sender's writes seem to succeed.
        if (pair.stranded) continue;
        const passing = counted && pair.left !== null ? part.subarray(0, pair.left) : part;
        if (counted && pair.left !== null) pair.left -= passing.length;
        if (!into.write(passing)) await Promise.race([once(into, 'drain'), once(into, 'close')]);
        if (pair.left === 0) return end(pair);
      }
      if (!pair.stranded) into.end();
    } catch {
      // Reset by one side: the other is told in the same way.
      if (!pair.stranded) end(pair);
    }
  }

  function take(client: Socket): void {
    const pair: Pair = { client, server: null, stranded: silent, left: most };
    pairs.add(pair);
    client.setNoDelay();
    client.on('error', () => {});
    client.on('close', () => {
      pairs.delete(pair);
      pair.server?.destroy();
    });
    if (silent) {
      client.resume();
      return;
    }
    const server = dial({ host: HOST, port: to });
    pair.server = server;
    server.setNoDelay();
    // The server is not there: the client is told by a reset, a moment late.
    server.on('error', () => end(pair));
    void carry(pair, client, server, false);
    void carry(pair, server, client, true);
  }

  let listener = await listen(take, 0);
  const port = portOf(listener);
  const stopListening = async (): Promise<void> => {
    if (!listener.listening) return;
    // Its `close` comes only after the last connection; no new ones are taken from here on.
    listener.close();
  };
  return {
    port,
    through(url) {
      const address = new URL(url);
      address.host = `${HOST}:${port}`;
      return address.href;
    },
    cut() {
      const all = [...pairs];
      for (const pair of all) end(pair);
      return all.length;
    },
    strand() {
      let count = 0;
      for (const pair of pairs) {
        if (!pair.stranded) count++;
        pair.stranded = true;
      }
      return count;
    },
    silence() {
      silent = true;
      for (const pair of pairs) pair.stranded = true;
    },
    refuse: stopListening,
    delay(ms) {
      late = ms;
    },
    cutAfter(bytes) {
      most = bytes;
      for (const pair of pairs) pair.left = bytes;
    },
    async heal() {
      silent = false;
      late = 0;
      most = null;
      for (const pair of pairs) pair.left = null;
      if (!listener.listening) listener = await listen(take, port);
    },
    get open() {
      let count = 0;
      for (const { stranded } of pairs) if (!stranded) count++;
      return count;
    },
    async [Symbol.asyncDispose]() {
      await stopListening();
      for (const pair of pairs) end(pair);
    },
  };
}

async function listen(take: (client: Socket) => void, port: number): Promise<Server> {
  // Both directions end on their own, as they do without a proxy.
  const server = createServer({ allowHalfOpen: true }, take).listen(port, HOST);
  await once(server, 'listening');
  return server;
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return address.port;
}
