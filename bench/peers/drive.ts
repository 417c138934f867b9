import { once } from 'node:events';
import { createServer } from 'node:http';

/** What a program that is measured can be told to do. */
export interface Driven {
  /** Makes so many texts wait. */
  fill(n: number): Promise<void>;
  /** Sends so many that wait; resolves when all of them are done. */
  run(n: number): Promise<void>;
}

/**
 * Does what it is told over HTTP, one thing at a time: `POST /fill?n=N` and `POST /run?n=N`, which gives the seconds it took.
 * Prints `NAME ready http://127.0.0.1:PORT`.
 */
export async function drive(name: string, driven: Driven): Promise<void> {
  const server = createServer((asked, answer) => {
    const { pathname, searchParams } = new URL(asked.url ?? '/', 'http://driven');
    const n = Number(searchParams.get('n'));
    const began = performance.now();
    (pathname === '/fill' ? driven.fill(n) : driven.run(n)).then(
      () => answer.end(JSON.stringify({ seconds: (performance.now() - began) / 1000 })),
      (error: unknown) => {
        console.error(error);
        answer.writeHead(500).end();
      },
    );
  });
  server.requestTimeout = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  process.on('SIGTERM', () => process.exit(0));
  console.log(`${name} ready http://127.0.0.1:${address.port}`);
}
