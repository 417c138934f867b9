import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { freePort } from './free-port.ts';
import { until } from './wait.ts';

/** A Redis on loopback, of Debian's `redis-server`, that keeps nothing on disk. */
export interface Redis extends AsyncDisposable {
  readonly port: number;
  /** Forgets all it has. */
  flush(): Promise<void>;
  /** `kill -9`. */
  stop(): Promise<void>;
  /** On the same port again. */
  start(): Promise<void>;
}

const HOST = '127.0.0.1';
const BINARY = '/usr/bin/redis-server';

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** @throws {Error} when there is no `redis-server` */
export async function startRedis(): Promise<Redis> {
  const port = await freePort();
  let child: ChildProcess | null = null;
  const command = async (text: string): Promise<string> => {
    const socket = connect(port, HOST);
    try {
      await once(socket, 'connect');
      socket.write(`${text}\r\n`);
      // It may end without an answer.
      const ended = once(socket, 'close').then(() => Promise.reject(new Error('redis ended the connection')));
      const [answer] = (await Promise.race([once(socket, 'data'), ended])) as [Buffer];
      return answer.toString();
    } finally {
      socket.destroy();
    }
  };
  const start = async (): Promise<void> => {
    const options = ['--port', String(port), '--bind', HOST, '--save', '', '--appendonly', 'no'];
    const started = spawn(BINARY, options, { stdio: 'ignore' });
    child = started;
    running.add(started);
    started.once('exit', () => running.delete(started));
    await once(started, 'spawn');
    await until('redis to answer', () =>
      command('PING').then(
        (text) => text.includes('PONG') || null,
        () => null,
      ),
    );
  };
  const stop = async (): Promise<void> => {
    const last = child;
    child = null;
    if (!last || last.exitCode !== null || last.signalCode !== null) return;
    last.kill('SIGKILL');
    await once(last, 'exit');
  };
  await start();
  return {
    port,
    flush: async () => void (await command('FLUSHALL')),
    stop,
    start,
    [Symbol.asyncDispose]: stop,
  };
}
