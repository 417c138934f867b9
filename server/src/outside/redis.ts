import { createClient, ErrorReply } from '@redis/client';
import { type Part, part } from '../runtime/lifecycle.ts';
import type { Logger } from '../runtime/logger.ts';
import { createPause } from '../runtime/pause.ts';

/**
 * The one connection of this instance to Redis, for everything: what is published and heard, counted and kept there. It reconnects by
 * itself for ever, with pauses drawn at random, and is given up when Redis has said nothing for a while, whatever the network
 * pretends. While it is away every call is refused at once: whoever calls has another way, or does without. Nothing waits in memory.
 *
 * Redis is never the only place of anything. Emptied or stopped it costs time and shared counts, and no message.
 */
export interface RedisLink extends Part {
  /** Whether it is connected, and its subscriptions stand. */
  readonly works: boolean;
  /** Why not, for a person; null while it works. */
  readonly trouble: string | null;
  /** @returns how many subscriptions got it. @throws when it is away, or does not answer within a moment. */
  publish(channel: string, text: string): Promise<number>;
  /** Subscribes for good; `back` is called each time the subscription stands anew. @returns what ends it. */
  subscribe(channel: string, heard: (text: string) => void, back: () => void): () => void;
  /** Runs a script of Lua for one key. @throws as `publish`. */
  run(script: string, key: string, values: readonly string[]): Promise<unknown>;
  /** Sets keys, each for `ttl` milliseconds. @throws as `publish`. */
  setAll(values: readonly { key: string; value: string }[], ttl: number): Promise<void>;
}

export interface RedisOptions {
  /** `redis://user:password@host:port/db`, or `rediss:` for TLS. */
  url: string;
  logger: Pick<Logger, 'warn' | 'info'>;
  /** Told when it comes and goes. Must not throw. */
  changed?: (works: boolean) => void;
  random?: () => number;
}

/** Milliseconds. */
const CONNECT_PATIENCE = 3000;
const ANSWER_PATIENCE = 1000;
const PING_EVERY = 1000;
const FIRST_REST = 100;
const LONGEST_REST = 3000;
/** Calls under way at once; more are refused. */
const MOST_CALLS = 20_000;
/** Different refusals that are logged. */
const MOST_REFUSALS = 20;

type Client = ReturnType<typeof open>;

interface Subscription {
  channel: string;
  heard: (text: string) => void;
  back: () => void;
}

export function createRedisLink({ url, logger, changed, random = Math.random }: RedisOptions): RedisLink {
  const subscriptions = new Set<Subscription>();
  /** Those that were told. */
  const refusals = new Set<string>();
  const rest = createPause();
  let loop: Promise<void> = Promise.resolve();
  let client: Client | null = null;
  let trouble: string | null = 'it was not reached yet';
  let stopped = false;
  let end = () => {};
  const tried = Promise.withResolvers<void>();

  async function run(): Promise<void> {
    let tries = 0;
    while (!stopped) {
      rest.reset();
      const reached = await session().catch((error: unknown) => {
        if (!stopped) note(error);
        return false;
      });
      tried.resolve();
      if (stopped) return;
      tries = reached ? 0 : tries + 1;
      // Half of it at random, so that many instances do not come back at once.
      const longest = Math.min(LONGEST_REST, FIRST_REST * 2 ** Math.min(tries, 10));
      await rest.wait(longest * (0.5 + random() / 2));
    }
  }

  /** One connection from its begin to its end. @returns true when it worked for a while. */
  async function session(): Promise<boolean> {
    const lost = Promise.withResolvers<Error>();
    const one = open(url);
    one.on('error', lost.resolve);
    one.on('end', () => lost.resolve(new Error('the connection was closed')));
    let ping: NodeJS.Timeout | undefined;
    try {
      end = () => lost.resolve(new Error('it was stopped'));
      const failed = lost.promise.then((why): never => {
        throw why;
      });
      const standing = await within(CONNECT_PATIENCE, 'connecting', Promise.race([begin(one), failed]));
      if (stopped) return true;
      client = one;
      if (trouble !== null) logger.info({ part: 'redis' }, 'Redis is there');
      trouble = null;
      changed?.(true);
      tried.resolve();
      for (const subscription of subscriptions) {
        if (standing.has(subscription)) subscription.back();
        else stand(one, subscription);
      }
      ping = setInterval(() => {
        within(ANSWER_PATIENCE * 2, 'an answer', one.ping()).catch(lost.resolve);
      }, PING_EVERY);
      const why = await lost.promise;
      if (!stopped) note(why);
      return true;
    } finally {
      clearInterval(ping);
      const was = client !== null;
      client = null;
      if (one.isOpen) one.destroy();
      if (was) changed?.(false);
    }
  }

  async function begin(one: Client): Promise<Set<Subscription>> {
    await one.connect();
    const standing = new Set(subscriptions);
    for (const { channel, heard } of standing) await one.subscribe(channel, heard);
    return standing;
  }

  function stand(one: Client, { channel, heard, back }: Subscription): void {
    one.subscribe(channel, heard).then(back, () => {
      // The connection is lost, which is told where it is waited for; the next one subscribes again.
    });
  }

  function note(error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    // Told once for each reason, not once for each try.
    if (trouble !== why)
      logger.warn({ part: 'redis', reason: why }, 'Redis is away: instances do without it meanwhile');
    trouble = why;
  }

  function call<T>(ask: (one: Client) => Promise<T>): Promise<T> {
    if (client === null) return Promise.reject(new Error('Redis is away'));
    return within(ANSWER_PATIENCE, 'an answer', ask(client)).catch((error: unknown) => {
      if (error instanceof ErrorReply) noteRefusal(error.message);
      throw error;
    });
  }

  /** A user of Redis who may not do all that is needed would otherwise never be noticed. */
  function noteRefusal(reason: string): void {
    if (refusals.has(reason) || refusals.size === MOST_REFUSALS) return;
    refusals.add(reason);
    logger.warn({ part: 'redis', reason }, 'Redis refuses what it is asked; what that is for does without it');
  }

  return {
    ...part(
      'redis',
      async () => {
        loop = run();
        await tried.promise;
      },
      async () => {
        stopped = true;
        end();
        rest.wake();
        await loop;
      },
    ),
    get works() {
      return client !== null;
    },
    get trouble() {
      return trouble;
    },
    publish: (channel, text) => call((one) => one.publish(channel, text)),
    subscribe(channel, heard, back) {
      const subscription = { channel, heard, back };
      subscriptions.add(subscription);
      if (client !== null) stand(client, subscription);
      return () => {
        subscriptions.delete(subscription);
        client?.unsubscribe(channel, heard).catch(() => {});
      };
    },
    run: (script, key, values) => call((one) => one.eval(script, { keys: [key], arguments: [...values] })),
    async setAll(values, ttl) {
      await call((one) =>
        Promise.all(values.map(({ key, value }) => one.set(key, value, { expiration: { type: 'PX', value: ttl } }))),
      );
    },
  };
}

function open(url: string) {
  return createClient({
    url,
    // Publishing and subscribing on one connection needs version 3 of the protocol, which Redis has since 6.
    RESP: 3,
    name: 'aldis',
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: 'disabled',
    commandsQueueMaxLength: MOST_CALLS,
    socket: { reconnectStrategy: false, connectTimeout: CONNECT_PATIENCE },
  });
}

/** Waits no longer than `ms`. */
async function within<T>(ms: number, what: string, waited: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([waited, late]);
  } finally {
    clearTimeout(timer);
  }
}
