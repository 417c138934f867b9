/** Does with many what was asked one by one: what comes while `run` is busy goes together in its next call. */
export interface Batcher<T> {
  /** Resolves when the batch that carried `item` is done. */
  add(item: T): Promise<void>;
}

interface Waiting<T> {
  item: T;
  resolve: () => void;
  reject: (reason: unknown) => void;
}

/**
 * @param max most items in one call
 * @param parallel calls at once; `run` is told which of them it is, from 0
 */
export function batcher<T>(
  max: number,
  parallel: number,
  run: (items: T[], slot: number) => Promise<unknown>,
): Batcher<T> {
  // As long as the callers' connections are, for each waits for its answer.
  let queue: Waiting<T>[] = [];
  const free = Array.from({ length: parallel }, (_, slot) => slot);
  let planned = false;

  const pump = (): void => {
    planned = false;
    while (queue.length > 0) {
      const slot = free.pop();
      if (slot === undefined) return;
      const part = queue.length > max ? queue.splice(0, max) : queue;
      if (part === queue) queue = [];
      run(
        part.map((waiting) => waiting.item),
        slot,
      )
        .then(
          () => {
            for (const waiting of part) waiting.resolve();
          },
          (reason: unknown) => {
            for (const waiting of part) waiting.reject(reason);
          },
        )
        .finally(() => {
          free.push(slot);
          pump();
        });
    }
  };

  return {
    add: (item) =>
      new Promise((resolve, reject) => {
        queue.push({ item, resolve, reject });
        if (planned || free.length === 0) return;
        planned = true;
        setImmediate(pump);
      }),
  };
}
