import type { Db } from '../db/pool.ts';
import {
  type Consent,
  type ConsentKeywords,
  type ConsentScope,
  type KeywordMatch,
  keywordReader,
  sayingsOf,
} from '../domain/consent.ts';
import type { TenantId } from '../domain/ids.ts';
import type { StoredMessage } from '../domain/inbound-message.ts';
import type { Signals } from '../signals/signals.ts';
import { findTenantKeywords } from '../store/consents.read.ts';
import { giveConsents, MOST_CONTACTS } from './consent.ts';

/** What is looked at of a customer's message. */
type Said = Pick<StoredMessage, 'tenant' | 'contact' | 'message' | 'type' | 'content' | 'at'>;

export interface ConsentKeywordsOptions {
  db: Db;
  signals: Signals;
  /** Those of the configuration: of tenants that have none of their own. */
  keywords: ConsentKeywords;
  scope: ConsentScope;
  /** Milliseconds for which a tenant's own keywords are believed, where no signal tells of another instance's change. */
  believed?: number;
}

/** Reads customers' messages for keywords by which they opt out and in. */
export interface ConsentReader {
  /**
   * Does what messages say, and resolves when that is durable. The same message counts once: after a crash it is read again.
   * @throws when the store cannot be reached.
   */
  apply(said: readonly Said[]): Promise<void>;
  /** Stops listening to changes of tenants. */
  close(): void;
}

type Read = (text: string) => KeywordMatch | null;

/** Tenants with keywords of their own that are known at once. */
const MOST_TENANTS = 10_000;

export function createConsentKeywords({
  db,
  signals,
  keywords,
  scope,
  believed = 5000,
}: ConsentKeywordsOptions): ConsentReader {
  const usual = keywordReader(keywords);
  let own: Promise<ReadonlyMap<TenantId, Read>> | null = null;
  let askedAt = 0;
  const forget = () => {
    own = null;
  };
  const unlisten = signals.listen('senders', forget);

  function ownReaders(): Promise<ReadonlyMap<TenantId, Read>> {
    const now = performance.now();
    if (own === null || now - askedAt > believed) {
      askedAt = now;
      const asked = findTenantKeywords(db, MOST_TENANTS).then(
        (rows) =>
          new Map(
            rows.map(({ id, consent_keywords }) => [id, keywordReader({ ...keywords, ...consent_keywords })] as const),
          ),
      );
      own = asked;
      asked.catch(() => {
        if (own === asked) own = null;
      });
    }
    return own;
  }

  return {
    async apply(said) {
      // Most messages are no keyword by their length alone: then nothing is asked.
      const short = said.flatMap((one) => {
        const sayings = sayingsOf(one.type, one.content);
        return sayings.length === 0 ? [] : [{ one, sayings }];
      });
      if (short.length === 0) return;
      const readers = await ownReaders();
      const consents = short.flatMap(({ one, sayings }): Consent[] => {
        const match = firstMatch(readers.get(one.tenant) ?? usual, sayings);
        if (match === null) return [];
        const { tenant, contact, message, at } = one;
        const { state, keyword } = match;
        return [{ tenant, contact, scope, state, source: 'keyword', detail: keyword, message, at }];
      });
      for (let i = 0; i < consents.length; i += MOST_CONTACTS) {
        await giveConsents({ db, signals }, consents.slice(i, i + MOST_CONTACTS));
      }
    },
    close: unlisten,
  };
}

function firstMatch(read: Read, sayings: readonly string[]): KeywordMatch | null {
  for (const saying of sayings) {
    const match = read(saying);
    if (match) return match;
  }
  return null;
}
