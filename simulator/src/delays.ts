import { Fifo } from './fifo.ts';

interface Waiting<T> {
  due: number;
  item: T;
}

/**
 * Items that become due after a while, fired in the order in which they are due. What waits equally long becomes due in
 * the order in which it came, so every distinct wait is a plain queue, and one timer watches the heads: no timer and no
 * closure for an item.
 */
export class Delays<T> {
  readonly #fire: (item: T) => void;
  readonly #queues = new Map<number, Fifo<Waiting<T>>>();
  #timer: NodeJS.Timeout | undefined;
  #timerDue = Number.POSITIVE_INFINITY;
  #size = 0;

  /** `fire` is called with each item once, when its time has come, and must not throw. */
  constructor(fire: (item: T) => void) {
    this.#fire = fire;
  }

  /** How many items wait. */
  get size(): number {
    return this.#size;
  }

  /** Lets `item` become due `milliseconds` from now. */
  add(milliseconds: number, item: T): void {
    let queue = this.#queues.get(milliseconds);
    if (!queue) {
      queue = new Fifo();
      this.#queues.set(milliseconds, queue);
    }
    const due = performance.now() + milliseconds;
    queue.push({ due, item });
    this.#size++;
    if (due < this.#timerDue) this.#watch(due);
  }

  /** Forgets everything that waits. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timerDue = Number.POSITIVE_INFINITY;
    this.#queues.clear();
    this.#size = 0;
  }

  #watch(due: number): void {
    clearTimeout(this.#timer);
    this.#timerDue = due;
    this.#timer = setTimeout(() => this.#run(), Math.max(1, due - performance.now()));
  }

  #run(): void {
    // Nothing that is added while firing may set the timer: it is set once, at the end.
    this.#timerDue = Number.NEGATIVE_INFINITY;
    const now = performance.now();
    let queue = this.#earliest();
    for (let head = queue?.peek(); head !== undefined && head.due <= now; head = queue?.peek()) {
      queue?.shift();
      this.#size--;
      this.#fire(head.item);
      queue = this.#earliest();
    }
    this.#timerDue = Number.POSITIVE_INFINITY;
    const next = queue?.peek()?.due;
    if (next !== undefined) this.#watch(next);
  }

  /** The queue whose head is due first. There are few queues: a wait is a setting or a fault's, not a message's. */
  #earliest(): Fifo<Waiting<T>> | undefined {
    let earliest: Fifo<Waiting<T>> | undefined;
    let due = Number.POSITIVE_INFINITY;
    for (const [wait, queue] of this.#queues) {
      const head = queue.peek();
      if (head === undefined) {
        this.#queues.delete(wait);
      } else if (head.due < due) {
        due = head.due;
        earliest = queue;
      }
    }
    return earliest;
  }
}
