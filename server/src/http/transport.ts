import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyServerOptions } from 'fastify';
import type { TlsFiles } from './tls.ts';
import type { HttpApp } from './typebox-provider.ts';

/** How requests travel: what lies below routes and bodies. Bytes and milliseconds. */
export interface Transport {
  /** HTTPS with these; null: HTTP. */
  tls: TlsFiles | null;
  /** The largest head of a request, its path included. A larger one is 431. */
  header_limit: number;
  /** How long an answer may stand still because its client does not read it. */
  write_timeout: number;
  /** Pages of these origins may call from a browser; `*` is all. */
  cors_origins: readonly string[];
  /** Addresses and ranges whose X-Forwarded-* is believed. */
  trusted_proxies: readonly string[];
}

/** Takes over connections that are to become WebSockets. */
export interface SocketTaker {
  /** Whether a request asks for one. Others that ask for another protocol are answered as if they had not asked. */
  isAsked(request: IncomingMessage): boolean;
  take(request: IncomingMessage, connection: Duplex, head: Buffer): void;
}

/** For a head alone, in milliseconds. Node takes the longer of the two times for the whole request, whichever it is called. */
const LONGEST_HEAD = 60_000;

/** How often Node looks for requests that take too long to arrive. Its own half a minute would be the shortest limit there is. */
const LOOK_AT_CONNECTIONS_EVERY = 5000;

/** The part of the framework's options that the transport decides. */
export function transportOptions(
  { tls, header_limit, trusted_proxies }: Transport,
  requestTimeout: number,
  sockets?: SocketTaker,
): FastifyServerOptions {
  const node = {
    maxHeaderSize: header_limit,
    requestTimeout,
    headersTimeout: Math.min(requestTimeout, LONGEST_HEAD),
    connectionsCheckingInterval: Math.min(requestTimeout, LOOK_AT_CONNECTIONS_EVERY),
    ...(sockets && { shouldUpgradeCallback: sockets.isAsked }),
  };
  // Which of Node's servers is behind it makes no difference to routes, so the type says the plain one.
  const server = tls === null ? { http: node } : { https: { ...node, ...tls } };
  return { ...server, ...(trusted_proxies.length > 0 && { trustProxy: [...trusted_proxies] }) };
}

/** Smaller answers fit into the buffers of the system: they do not wait for their reader. Bytes. */
const STANDS_STILL = 16 * 1024;

/** Closes connections whose clients do not read their answer, so that large answers do not pile up in memory. */
export function limitWriting(app: HttpApp, { write_timeout }: Transport): void {
  app.addHook('onSend', (_request, reply, payload, done) => {
    const large = (typeof payload === 'string' || Buffer.isBuffer(payload)) && payload.length > STANDS_STILL;
    // A time without any progress. Node takes it off again when the answer is out.
    if (large) reply.raw.setTimeout(write_timeout, () => reply.raw.destroy());
    done(null, payload);
  });
}
