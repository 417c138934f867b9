import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket } from 'ws';
import { createAuthenticator } from '../../src/access/api-keys.ts';
import { createSenderDirectory } from '../../src/access/sender-directory.ts';
import { createTemplateDirectory } from '../../src/access/template-directory.ts';
import { createAcceptor } from '../../src/actions/accept-messages.ts';
import type { ChatActions } from '../../src/actions/chat.ts';
import { createCustomerReads } from '../../src/actions/mark-read.ts';
import { createTickets } from '../../src/actions/tickets.ts';
import { buildIdentifier } from '../../src/boot/access.ts';
import { buildChat } from '../../src/boot/chat.ts';
import { buildSockets } from '../../src/boot/sockets.ts';
import { BatcherFull } from '../../src/db/batcher.ts';
import { type Db, isTransient, openPool } from '../../src/db/pool.ts';
import { hashApiKey, newApiKey, type Scope } from '../../src/domain/api-key.ts';
import { type ApiKeyId, type ConversationId, type InstanceId, newId, type TenantId } from '../../src/domain/ids.ts';
import { createSay } from '../../src/http/say-in-conversation.ts';
import { createShowCustomer } from '../../src/http/show-customer.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createMetrics } from '../../src/runtime/metrics.ts';
import { ALL_SETTINGS, type Config, frozenConfig } from '../../src/runtime/settings.ts';
import { memorySignals, type Signals } from '../../src/signals/signals.ts';
import { beatInstance } from '../../src/store/lanes.write.ts';
import { insertApiKey } from '../../src/store/set-up.write.ts';
import { type EngineWorld, engineWorld } from '../engine-world.ts';
import { until } from '../until.ts';

/** A database, and instances that take sockets over it: each with signals, pool and server of its own, as if in processes of their own. */
export interface SocketWorld extends EngineWorld {
  instance(settings?: Record<string, unknown>): Promise<TestInstance>;
  /** A key of the tenant that speaks for users. */
  key(tenant: TenantId, scopes?: readonly Scope[]): Promise<{ id: ApiKeyId; key: string }>;
  /** A new tenant with such a key. */
  people(): Promise<{ tenant: TenantId; id: ApiKeyId; key: string }>;
}

export interface TestInstance {
  id: InstanceId;
  /** ws://127.0.0.1:PORT */
  url: string;
  db: Db;
  signals: Signals;
  chat: ChatActions;
  metrics(): Promise<string>;
  /** Lets time pass for its sockets, in milliseconds. */
  pass(ms: number): void;
  connect(options: ConnectOptions): TestSocket;
  /** Closes all sockets as a stop does, and the server. May be called again. */
  stop(): Promise<void>;
}

export interface ConnectOptions {
  key?: string;
  user?: string;
  device?: string;
  query?: string;
  headers?: Record<string, string>;
  path?: string;
}

/** A frame as it came. */
export interface Frame {
  type: string;
  // Tests look at what they expect; what is not there is undefined.
  payload: Record<string, unknown> & { message: Record<string, unknown> };
  id: string;
  cursor: string;
  prev: string;
}

/** A client of the `ws` package, which remembers all that came. */
export interface TestSocket {
  ws: WebSocket;
  frames: Frame[];
  /** Those that carry events. */
  events(): Frame[];
  opened(): Promise<void>;
  closed(): Promise<{ code: number; reason: string }>;
  /** Resolves with the HTTP answer when it was refused before it was open. */
  refused(): Promise<{ status: number; body: Record<string, unknown>; headers: IncomingMessage['headers'] }>;
  send(type: string, payload?: object): void;
  /** The first frame of a type (and of more) from the place of the last call on. */
  next(type: string, fits?: (frame: Frame) => boolean): Promise<Frame>;
}

const SCOPES: readonly Scope[] = [
  'act_as',
  'conversations:read',
  'conversations:write',
  'events:read',
  'messages:write',
];
const LEASE = 60_000;

export async function socketWorld(): Promise<SocketWorld> {
  const world = await engineWorld();
  const instances: TestInstance[] = [];
  const keyOf: SocketWorld['key'] = async (tenant, scopes = SCOPES) => {
    const key = newApiKey();
    const id = newId<ApiKeyId>();
    await insertApiKey(world.db, tenant, { id, name: 'test', hash: hashApiKey(key), scopes });
    return { id, key };
  };
  return {
    ...world,
    async instance(settings = {}) {
      const one = await startInstance(world.database.url, settings);
      instances.push(one);
      return one;
    },
    key: keyOf,
    async people() {
      const { tenant } = await world.tenant();
      return { tenant, ...(await keyOf(tenant)) };
    },
    async close() {
      await Promise.all(instances.map((one) => one.stop()));
      await world.close();
    },
  };
}

function configOf(settings: Record<string, unknown>): Config {
  return frozenConfig(
    new Map(ALL_SETTINGS.map(({ key, setting }) => [key, key in settings ? settings[key] : setting.default])),
  );
}

async function startInstance(database: string, settings: Record<string, unknown>): Promise<TestInstance> {
  const config = configOf(settings);
  const db = openPool({ connection: database, max: 6, onError() {} });
  const id = newId<InstanceId>();
  await beatInstance(db, id, LEASE, 'test');
  const signals = memorySignals();
  let passed = 0;
  const clock = { now: systemClock.now, monotonic: () => systemClock.monotonic() + passed };
  const log = () => {};
  const logger = { error: log, warn: log, info: log, debug: log };
  const keys = createAuthenticator({ db, clock });
  signals.listen('keys', keys.forget);
  const tickets = createTickets({ db });
  const identifier = buildIdentifier(config, { db, clock, logger }, keys, tickets.redeem);
  const chat = buildChat({ db, signals });
  const metrics = createMetrics({ version: 'test', node: false });
  const acceptor = createAcceptor({ db, signals, slot: 0 });
  const say = createSay({
    db,
    chat,
    senders: createSenderDirectory({ db, clock }),
    templates: createTemplateDirectory({ db, clock }),
    acceptMessage: (tenant, message, idempotency) => acceptor.accept(tenant, message, idempotency),
  });
  const reads = createCustomerReads({ db, signals });
  const sockets = buildSockets(
    config,
    { db, signals, clock, metrics, logger: logger as never, instance: id },
    {
      identifier,
      chat,
      say,
      showCustomer: createShowCustomer({ db, clock, ...reads }),
      markCustomersRead: reads.markRead,
      troubleOf: (error) => (error instanceof BatcherFull ? 'overloaded' : isTransient(error) ? 'unavailable' : null),
    },
  );
  await sockets.start();
  const server = createServer({ shouldUpgradeCallback: sockets.isAsked }, (_request, response) => {
    response.writeHead(404).end('no upgrade');
  });
  server.on('upgrade', sockets.take);
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve));
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let stopping: Promise<void> | undefined;
  return {
    ...{ id, url, db, signals, chat },
    metrics: () => metrics.render(),
    pass(ms) {
      passed += ms;
    },
    connect: (options) => connect(url, options),
    stop() {
      stopping ??= (async () => {
        await sockets.stop();
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
        await db.close();
      })();
      return stopping;
    },
  };
}

function connect(
  url: string,
  { key, user, device, query = '', headers = {}, path = '/ws' }: ConnectOptions,
): TestSocket {
  const ws = new WebSocket(`${url}${path}${query}`, {
    headers: {
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(user === undefined ? {} : { 'x-user-id': user }),
      ...(device === undefined ? {} : { 'x-device-id': device }),
      ...headers,
    },
  });
  const frames: Frame[] = [];
  const closing = Promise.withResolvers<{ code: number; reason: string }>();
  const refusal = Promise.withResolvers<Awaited<ReturnType<TestSocket['refused']>>>();
  const opening = Promise.withResolvers<void>();
  opening.promise.catch(() => {});
  ws.on('open', () => opening.resolve());
  ws.on('error', (error) => opening.reject(error));
  ws.on('close', (code, reason) => closing.resolve({ code, reason: String(reason) }));
  ws.on('message', (data) => frames.push(JSON.parse(String(data))));
  ws.on('unexpected-response', (_request, response) => {
    let text = '';
    response.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    response.on('end', () => {
      const { statusCode: status = 0, headers } = response;
      refusal.resolve({ status, headers, body: text.startsWith('{') ? JSON.parse(text) : {} });
      opening.reject(new Error(`refused with ${status}: ${text}`));
      closing.resolve({ code: 1006, reason: text });
    });
  });
  let looked = 0;
  return {
    ws,
    frames,
    events: () => frames.filter((frame) => frame.id !== undefined),
    opened: () => opening.promise,
    closed: () => closing.promise,
    refused: () => refusal.promise,
    send(type, payload) {
      ws.send(JSON.stringify(payload === undefined ? { type } : { type, payload }));
    },
    async next(type, fits = () => true) {
      let found: Frame | undefined;
      await until(`a frame ${type}`, () => {
        const at = frames.findIndex((frame, n) => n >= looked && frame.type === type && fits(frame));
        found = frames[at];
        if (found) looked = at + 1;
        if (!found && ws.readyState === WebSocket.CLOSED) throw new Error(`closed before a frame ${type}`);
        return found !== undefined;
      }).catch((error) => {
        throw new Error(`${error.message}; came: ${JSON.stringify(frames.slice(looked)).slice(0, 2000)}`);
      });
      return found as Frame;
    },
  };
}

/** A direct conversation of two users. */
export async function direct(at: TestInstance, tenant: TenantId, one: string, other: string): Promise<ConversationId> {
  const participants = [{ user_id: one }, { user_id: other }];
  const made = await at.chat.create(tenant, one, { type: 'direct', participants });
  return made.conversation.id;
}

/** A group: the first user makes it. */
export async function group(at: TestInstance, tenant: TenantId, users: readonly string[]): Promise<ConversationId> {
  const participants = users.map((user_id) => ({ user_id }));
  const made = await at.chat.create(tenant, users[0] ?? null, { type: 'group', participants, title: 'a group' });
  return made.conversation.id;
}

/** Holds the frames of events to an unbroken chain, beginning at a cursor, each event once. */
export function chainFlaw(frames: readonly Frame[], start: string): string | null {
  let prev = start;
  const seen = new Set<string>();
  for (const [n, frame] of frames.entries()) {
    if (frame.prev !== prev) return `frame ${n} (${frame.type}) does not follow the one before it`;
    if (seen.has(frame.id)) return `frame ${n} (${frame.type}) came twice`;
    seen.add(frame.id);
    prev = frame.cursor;
  }
  return null;
}

/** What is said in a test, but for its content. */
export const TEXT = {
  sender_type: 'user',
  message_type: 'text',
  mentions: [],
  parent_message_id: null,
  metadata: null,
  note: false,
} as const;
