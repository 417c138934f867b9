import { BatcherFull } from './batcher.ts';

/**
 * Lets those who change the same row take turns. Transactions that meet at a row fail but for one, and begin anew: of a thousand at
 * once nearly all the work is for nothing, and holds every connection meanwhile. In turns they hold one. Other instances have turns of
 * their own: with them the few that meet begin anew.
 */
export interface Turns {
  /**
   * Does something when all is done that was handed in under this key before, whatever came of that.
   * @throws {BatcherFull} when `limit` others wait already, under any keys. Whoever has nobody before him never waits.
   */
  take<T>(key: string, work: () => Promise<T>): Promise<T>;
}

/** @param limit how many may wait. */
export function createTurns(limit: number): Turns {
  /** Of each key, when the last one that was handed in has ended. */
  const lasts = new Map<string, Promise<void>>();
  let waiting = 0;
  return {
    async take(key, work) {
      const before = lasts.get(key);
      if (before && waiting >= limit) throw new BatcherFull(`${limit} already wait for their turn`);
      const { promise: ended, resolve: end } = Promise.withResolvers<void>();
      lasts.set(key, ended);
      if (before) {
        waiting++;
        await before;
        waiting--;
      }
      try {
        return await work();
      } finally {
        if (lasts.get(key) === ended) lasts.delete(key);
        end();
      }
    },
  };
}
