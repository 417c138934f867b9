import type { Notice } from './notice.ts';

/**
 * One way from instance to instance. It tells what it hears and when it may have missed something, and hands over what it is
 * given; what becomes of that otherwise is decided by shared-signals.ts.
 */
export interface Carrier {
  readonly name: 'redis' | 'postgres';
  /** Milliseconds in which notices are gathered before one goes this way. */
  readonly gather: number;
  /** Whether it works now. While the first one does, the others are only asked when it does not reach everybody. */
  readonly works: boolean;
  /** How many other instances there are, as far as it knows. */
  readonly others: number;
  /** Begins. Never rejects because nothing can be reached: then it begins later. */
  start(ear: Ear): Promise<void>;
  /**
   * Hands a notice over.
   * @returns how many other instances it reached, or will reach: infinite when that is sure of all.
   * @throws when it did not go.
   */
  send(notice: Notice): Promise<number>;
  /** Resolves when nothing of it is under way. May be called before a start, and again. */
  stop(): Promise<void>;
}

/** What a carrier tells. */
export interface Ear {
  /** Another instance told something. */
  heard(notice: Notice): void;
  /** Something may have been told and not heard. */
  missed(): void;
  /** Another instance is there and was not before: what was told meanwhile did not reach it. */
  joined(): void;
}
