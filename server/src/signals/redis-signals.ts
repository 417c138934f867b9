import { type InstanceId, newId } from '../domain/ids.ts';
import type { Carrier, Ear } from './carrier.ts';
import { headOf, readNotice, writeNotice } from './notice.ts';

/**
 * Notices by publishing and subscribing: a millisecond from instance to instance. Nothing is kept there, so whoever was away for a
 * moment looks at everything once. Each publication says how many heard it, which tells how many instances are there.
 */
export interface PubSub {
  /** Whether it can be reached, and the subscription stands. */
  readonly works: boolean;
  /** @returns how many subscriptions there were, the own one included. @throws when it is not published within a moment. */
  publish(channel: string, text: string): Promise<number>;
  /** Subscribes for good; `back` is called each time the subscription stands anew. */
  subscribe(channel: string, heard: (text: string) => void, back: () => void): () => void;
}

export interface RedisSignalsOptions {
  pubsub: PubSub;
  /** The channel of this installation. */
  channel: string;
  instance: InstanceId;
}

/** Milliseconds. */
const GATHER = 2;
/** How often an instance says that it is there. */
const HELLO_EVERY = 1000;

export function createRedisSignals({ pubsub, channel, instance }: RedisSignalsOptions): Carrier {
  let others = 0;
  let unsubscribe = () => {};
  let timer: NodeJS.Timeout | undefined;
  let ear: Ear | undefined;
  let been = false;
  let stopped = false;
  const own = headOf(instance);

  function note(found: number): void {
    const before = others;
    others = Math.max(0, found);
    if (before === 0 && others > 0) ear?.joined();
  }

  async function publish(text: string): Promise<number> {
    const reached = (await pubsub.publish(channel, text)) - 1;
    note(reached);
    return reached;
  }

  /** An empty notice: whoever hears it knows that he is not alone, and the answer says whether we are. */
  function hello(): void {
    if (!pubsub.works || stopped) return;
    publish(writeNotice({ id: newId(), from: instance, topics: [], words: [] })).catch(() => {
      // The link itself tells that it is away; the other carrier takes over.
    });
  }

  return {
    name: 'redis',
    gather: GATHER,
    get works() {
      return pubsub.works;
    },
    get others() {
      return pubsub.works ? others : 0;
    },
    async start(given) {
      if (stopped) return;
      ear = given;
      unsubscribe = pubsub.subscribe(
        channel,
        (text) => {
          // What we publish comes back to us.
          if (text.startsWith(own)) return;
          const notice = readNotice(text);
          if (notice === null) return;
          if (others === 0) note(1);
          given.heard(notice);
        },
        () => {
          // The first time nothing was missed: all that runs here has only begun.
          if (been) given.missed();
          been = true;
          hello();
        },
      );
      timer = setInterval(hello, HELLO_EVERY);
    },
    send: (notice) => publish(writeNotice(notice)),
    async stop() {
      stopped = true;
      clearInterval(timer);
      unsubscribe();
    },
  };
}
