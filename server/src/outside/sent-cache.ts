import type { MessageId, TenantId } from '../domain/ids.ts';
import { type Part, part } from '../runtime/lifecycle.ts';
import type { RedisLink } from './redis.ts';

/**
 * What was sent, in Redis, as batch-processor documents it: one key for each message, with the provider's id of it and when it was
 * sent, for a while. For others to read; nothing here is read by Aldis. It is written after the message is settled, some together,
 * and what Redis does not take is not offered again: it is a cache, and the database has it.
 */
export interface SentCache extends Part {
  /** Takes note of messages that were sent. Never throws, and waits for nothing. */
  note(sent: readonly SentNote[]): void;
}

export interface SentNote {
  tenant: TenantId;
  message: MessageId;
  /** The provider's id. */
  wamid: string;
  /** Milliseconds since 1970. */
  at: number;
}

export interface SentCacheOptions {
  redis: Pick<RedisLink, 'works' | 'setAll'>;
  /** What keys begin with; behind it stand `sent:` and the message's id. */
  prefix: string;
  /** How long they are kept, in milliseconds. */
  ttl: number;
}

/** Milliseconds. */
const GATHER = 100;
const MOST_TOGETHER = 1000;
/** More are left out. */
const MOST_WAITING = 20_000;

export function createSentCache({ redis, prefix, ttl }: SentCacheOptions): SentCache {
  let waiting: SentNote[] = [];
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> | undefined;

  function plan(): void {
    if (timer !== undefined || writing !== undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      writing = write().finally(() => {
        writing = undefined;
        if (waiting.length > 0) plan();
      });
    }, GATHER);
  }

  async function write(): Promise<void> {
    while (waiting.length > 0 && redis.works) {
      const some = waiting.slice(0, MOST_TOGETHER);
      waiting = waiting.slice(MOST_TOGETHER);
      const values = some.map((one) => ({ key: `${prefix}sent:${one.message}`, value: textOf(one) }));
      await redis.setAll(values, ttl).catch(() => {
        // Left out; the link tells that it is away.
      });
    }
    // While it is away they are not kept for later.
    if (!redis.works) waiting = [];
  }

  return {
    note(sent) {
      if (!redis.works) return;
      for (const one of sent) if (waiting.length < MOST_WAITING) waiting.push(one);
      if (waiting.length > 0) plan();
    },
    ...part(
      'sent cache',
      async () => {},
      async () => {
        clearTimeout(timer);
        await writing;
        await write();
      },
    ),
  };
}

function textOf({ tenant, message, wamid, at }: SentNote): string {
  return JSON.stringify({
    id: message,
    tenant_id: tenant,
    webhookMessageId: wamid,
    sentAt: new Date(at).toISOString(),
  });
}
