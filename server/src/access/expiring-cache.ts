import type { Clock } from '../runtime/clock.ts';

/** A map that forgets: each entry after `ttl` ms, and the oldest when `limit` is reached. It holds no timer. */
export interface ExpiringCache<Value> {
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
  /** Forgets all. */
  clear(): void;
  readonly size: number;
}

export interface ExpiringCacheOptions {
  /** Milliseconds an entry is believed. */
  ttl: number;
  /** Most entries. */
  limit: number;
  clock: Clock;
}

/** Makes a cache for facts that may be a little old, such as what a key may do. */
export function createExpiringCache<Value>({ ttl, limit, clock }: ExpiringCacheOptions): ExpiringCache<Value> {
  const entries = new Map<string, { value: Value; until: number }>();
  return {
    get(key) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      if (entry.until > clock.monotonic()) return entry.value;
      entries.delete(key);
      return undefined;
    },
    set(key, value) {
      // Deleted first, so that the map's order is by age and its first entry the oldest.
      entries.delete(key);
      if (entries.size >= limit) {
        const oldest = entries.keys().next();
        if (!oldest.done) entries.delete(oldest.value);
      }
      entries.set(key, { value, until: clock.monotonic() + ttl });
    },
    clear: () => entries.clear(),
    get size() {
      return entries.size;
    },
  };
}
