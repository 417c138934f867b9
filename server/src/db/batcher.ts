/**
 * Commits together what arrives together: callers hand in one item each and wait; items that gather while a statement is
 * under way share the next one. Alone, an item waits for no timer, only for the turn of the event loop to end; under load a
 * few milliseconds at most.
 */
export interface Batcher<Item, Result> {
  /**
   * Hands in one item and gives what its batch made of it.
   * @throws {BatcherFull} when `limit` items already wait.
   */
  add(item: Item): Promise<Result>;
  /** Resolves when nothing waits and nothing is under way. */
  idle(): Promise<void>;
  /** Items that wait or are under way. */
  readonly size: number;
}

export interface BatcherOptions<Item, Result> {
  /** Most items in one batch. */
  max: number;
  /** Most batches under way at once. */
  parallel: number;
  /** Most items waiting; one more is refused. */
  limit: number;
  /**
   * Milliseconds that a batch gathers for, when another ended within that time before: under load a statement for many rows
   * costs less than several for few. 0: none, items only gather while others are under way.
   */
  gather?: number;
  /**
   * Does a batch, and gives a result for each item in order. When it throws, every item of the batch fails with that error,
   * unless `blameOne` thinks that one item spoiled it for the others: then each is done alone. `slot` numbers the batches under way at once, from 0: two with the same slot never overlap.
   */
  run: (items: Item[], slot: number) => Promise<Result[]>;
  /** Whether an error may be the fault of a single item. Without it, none is. */
  blameOne?: (error: unknown) => boolean;
}

/** Too much waits already: the caller is told to come again later. */
export class BatcherFull extends Error {
  override name = 'BatcherFull';
}

interface Waiting<Item, Result> {
  item: Item;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

/** Makes a batcher. While nothing is handed in, it keeps no process alive. */
export function createBatcher<Item, Result>(options: BatcherOptions<Item, Result>): Batcher<Item, Result> {
  const { max, parallel, limit, gather = 0, run, blameOne } = options;
  let waiting: Waiting<Item, Result>[] = [];
  let underWay = 0;
  let scheduled = false;
  let endedAt = Number.NEGATIVE_INFINITY;
  const slots = Array.from({ length: parallel }, (_, slot) => slot);
  let idleWaiters: (() => void)[] = [];

  function pump(): void {
    scheduled = false;
    while (waiting.length > 0 && slots.length > 0) {
      const part = waiting.length <= max ? waiting : waiting.slice(0, max);
      waiting = waiting.length <= max ? [] : waiting.slice(max);
      void perform(part, slots.pop() as number);
    }
  }

  async function perform(part: Waiting<Item, Result>[], slot: number): Promise<void> {
    underWay += part.length;
    try {
      const results = await run(
        part.map(({ item }) => item),
        slot,
      );
      for (let i = 0; i < part.length; i++) (part[i] as Waiting<Item, Result>).resolve(results[i] as Result);
    } catch (error) {
      if (part.length > 1 && blameOne?.(error)) await performEach(part, slot);
      else for (const { reject } of part) reject(error);
    } finally {
      underWay -= part.length;
      slots.push(slot);
      endedAt = performance.now();
      if (waiting.length > 0) schedule();
      else if (underWay === 0) {
        const waiters = idleWaiters;
        idleWaiters = [];
        for (const resolve of waiters) resolve();
      }
    }
  }

  async function performEach(part: Waiting<Item, Result>[], slot: number): Promise<void> {
    for (const { item, resolve, reject } of part) {
      try {
        resolve((await run([item], slot))[0] as Result);
      } catch (error) {
        reject(error);
      }
    }
  }

  function schedule(): void {
    if (scheduled || slots.length === 0) return;
    scheduled = true;
    const busy = gather > 0 && performance.now() - endedAt < gather;
    if (busy && waiting.length < max) setTimeout(pump, gather);
    else setImmediate(pump);
  }

  return {
    add(item) {
      if (waiting.length >= limit) return Promise.reject(new BatcherFull(`${limit} items already wait`));
      return new Promise((resolve, reject) => {
        waiting.push({ item, resolve, reject });
        schedule();
      });
    },
    idle() {
      if (waiting.length === 0 && underWay === 0) return Promise.resolve();
      return new Promise((resolve) => idleWaiters.push(resolve));
    },
    get size() {
      return waiting.length + underWay;
    },
  };
}
