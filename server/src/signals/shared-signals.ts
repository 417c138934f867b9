import { type InstanceId, newId } from '../domain/ids.ts';
import { type Part, part } from '../runtime/lifecycle.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Carrier, Ear } from './carrier.ts';
import { EVERYTHING, type Notice } from './notice.ts';
import { createOutbox } from './outbox.ts';
import { memorySignals, type Signals, type Topic } from './signals.ts';

/**
 * Signals between instances. What is told reaches the own listeners before `notify` returns, and the others by the first carrier
 * that works: it is gathered, so that a burst goes as one notice, and one notice goes after the other, so that words keep their order.
 * Where a carrier did not reach every instance, the next one takes the notice as well; topics may then come twice, words do not.
 *
 * While nothing carries, topics wait, each once, and words are lost. After every gap all listeners are notified once.
 */
export interface SharedSignals extends Signals, Part {}

export interface SharedSignalsOptions {
  instance: InstanceId;
  /** In the order in which they are asked. */
  carriers: readonly Carrier[];
  logger: Pick<Logger, 'warn' | 'info'>;
  /** Told of what went and came, and of what did not. */
  count?: {
    sent: (carrier: string) => void;
    received: (carrier: string) => void;
    gap: () => void;
    /** Words that were forgotten, for there were too many or nothing carried them. */
    lost: (words: number) => void;
  };
}

/** Milliseconds until what could not go is offered again. */
const AGAIN_AFTER = 500;
/** Instances whose last notice is remembered: those that live, and some that did. */
const MOST_KNOWN = 1000;

export function createSharedSignals(options: SharedSignalsOptions): SharedSignals {
  const { instance, carriers, logger, count } = options;
  const local = memorySignals();
  const outbox = createOutbox();
  /** The latest notice of each instance whose words were passed on. */
  const latest = new Map<InstanceId, string>();
  let timer: NodeJS.Timeout | undefined;
  let sending: Promise<void> | undefined;
  let stopped = false;
  let failing = false;
  let lost = 0;

  const first = () => carriers.find((carrier) => carrier.works) ?? carriers.at(-1);
  const isAlone = () => carriers.every((carrier) => carrier.others === 0);

  /** Whether other instances have to hear of it. */
  function travels(topic: Topic): boolean {
    // Who waits for a message looks every 50 ms anyway, and there is one such topic for each message.
    if (topic.startsWith('message:')) return false;
    // A lane has one owner: when he is here, nobody else need know.
    return !(topic.startsWith('due:') && local.isHeard(topic));
  }

  function plan(after: number): void {
    if (timer !== undefined || sending !== undefined || stopped) return;
    timer = setTimeout(() => {
      timer = undefined;
      sending = flush().finally(() => {
        sending = undefined;
        if (!outbox.isEmpty) plan(failing ? AGAIN_AFTER : (first()?.gather ?? 0));
      });
    }, after);
  }

  function tell(): void {
    plan(failing ? AGAIN_AFTER : (first()?.gather ?? 0));
  }

  async function flush(): Promise<void> {
    const notice = outbox.take(newId(), instance);
    let failed: unknown = null;
    for (const carrier of carriers) {
      if (!carrier.works && carrier !== carriers.at(-1)) continue;
      try {
        const reached = await carrier.send(notice);
        count?.sent(carrier.name);
        failed = null;
        if (reached >= Math.max(...carriers.map(({ others }) => others))) break;
      } catch (error) {
        failed = error;
      }
    }
    if (failed !== null) outbox.putBack(notice);
    if (outbox.forgotten > lost) {
      count?.lost(outbox.forgotten - lost);
      lost = outbox.forgotten;
    }
    if ((failed !== null) !== failing) {
      failing = failed !== null;
      if (failing)
        logger.warn({ error: failed }, 'the other instances are not told of changes now; they look by themselves');
      else logger.info('the other instances are told of changes again');
    }
  }

  function hear(notice: Notice): void {
    for (const topic of notice.topics) {
      if (topic === EVERYTHING) local.notifyAll();
      else local.notify(topic);
    }
    if (notice.words.length === 0) return;
    // It came by another carrier before, or something later did.
    if ((latest.get(notice.from) ?? '') >= notice.id) return;
    latest.delete(notice.from);
    latest.set(notice.from, notice.id);
    const [oldest] = latest.keys();
    if (latest.size > MOST_KNOWN && oldest !== undefined) latest.delete(oldest);
    for (const word of notice.words) local.say(word);
  }

  const earOf = (carrier: Carrier): Ear => ({
    heard(notice) {
      if (stopped || notice.from === instance) return;
      count?.received(carrier.name);
      hear(notice);
    },
    missed() {
      if (stopped) return;
      count?.gap();
      local.notifyAll();
    },
    joined() {
      if (stopped) return;
      outbox.notify(EVERYTHING);
      tell();
    },
  });

  return {
    listen: local.listen,
    hear: local.hear,
    notify(topic) {
      local.notify(topic);
      if (stopped || isAlone() || !travels(topic)) return;
      outbox.notify(topic);
      tell();
    },
    say(word) {
      local.say(word);
      if (stopped || isAlone()) return;
      outbox.say(word);
      tell();
    },
    ...part(
      'signals',
      async () => {
        for (const carrier of carriers) await carrier.start(earOf(carrier));
      },
      async () => {
        stopped = true;
        clearTimeout(timer);
        await sending;
        // What the parts that stopped before this one still told.
        if (!outbox.isEmpty && !isAlone()) await flush();
        await Promise.all(carriers.map((carrier) => carrier.stop()));
      },
    ),
  };
}
