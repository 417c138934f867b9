import net from 'node:net';

/** A TCP relay before a server: what goes by it can be cut, and let through again. */
export interface Relay {
  port: number;
  /** Ends all connections, and refuses new ones. */
  cut(): void;
  mend(): void;
  close(): Promise<void>;
}

/** Starts one on loopback, to a port or a socket of the file system. */
export async function startRelay(to: { host: string; port: number } | { path: string }): Promise<Relay> {
  const sockets = new Set<net.Socket>();
  let isCut = false;
  const server = net.createServer((near) => {
    if (isCut) {
      near.destroy();
      return;
    }
    const far = net.connect(to);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('error', () => {});
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    cut() {
      isCut = true;
      for (const socket of sockets) socket.destroy();
    },
    mend() {
      isCut = false;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
