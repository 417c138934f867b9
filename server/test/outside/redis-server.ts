import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { until } from '../until.ts';

const BINARY = '/usr/bin/redis-server';

/**
 * Why tests of Redis cannot run here, or false when they can. In CI they have to: there a missing server is a failure of each of them,
 * not a skip.
 */
export const NO_REDIS: string | false =
  existsSync(BINARY) || process.env['CI'] !== undefined
    ? false
    : `${BINARY} is missing: apt-get install redis-server, or these tests of Redis prove nothing`;

/** A real Redis of a test's own, on loopback, that keeps nothing. */
export interface RedisServer {
  url: string;
  port: number;
  /** 0: it speaks no TLS. */
  tlsPort: number;
  /** Ends it, as a crash would. */
  kill(): Promise<void>;
  /** Starts it again on the same port, empty. */
  restart(): Promise<void>;
  /** Lets it stand still with its connections open, and go on. */
  freeze(): void;
  thaw(): void;
  /** Ends it for good, and removes its folder. */
  remove(): Promise<void>;
}

export interface RedisServerOptions {
  password?: string;
  /** A certificate and its key, as files: then it speaks TLS as well, on a port of its own. */
  tls?: { cert_file: string; key_file: string };
}

/** Starts one; resolves when it takes connections. */
export async function startRedis({ password = '', tls }: RedisServerOptions = {}): Promise<RedisServer> {
  const port = await freePort();
  const tlsPort = tls ? await freePort() : 0;
  const folder = mkdtempSync(path.join(os.tmpdir(), 'aldis-redis-'));
  let child: ChildProcess | undefined;
  let ended: Promise<void> = Promise.resolve();

  async function start(): Promise<void> {
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
    if (password !== '') args.push('--requirepass', password);
    if (tls) {
      args.push('--tls-port', String(tlsPort), '--tls-auth-clients', 'no');
      args.push('--tls-cert-file', tls.cert_file, '--tls-key-file', tls.key_file, '--tls-ca-cert-file', tls.cert_file);
    }
    const one = spawn(BINARY, args, { stdio: 'ignore' });
    child = one;
    let failed: Error | undefined;
    one.on('error', (error) => {
      failed = error;
    });
    ended = new Promise((resolve) => one.on('close', () => resolve()));
    await until('Redis takes connections', () => {
      if (failed) throw failed;
      return answers(port);
    });
  }

  async function kill(): Promise<void> {
    child?.kill('SIGKILL');
    await ended;
  }

  await start();
  return {
    url: `redis://${password === '' ? '' : `:${password}@`}127.0.0.1:${port}`,
    port,
    tlsPort,
    kill,
    restart: start,
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    async remove() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The same for one test, gone with it. */
export async function redisOf(t: TestContext, options: RedisServerOptions = {}): Promise<RedisServer> {
  const server = await startRedis(options);
  t.after(() => server.remove());
  return server;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/** Whether something answers PING there, with whatever. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    const end = (yes: boolean) => {
      socket.destroy();
      resolve(yes);
    };
    socket.on('data', () => end(true)).on('error', () => end(false));
  });
}
