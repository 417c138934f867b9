import type { LoadClient } from './load.ts';
import type { Simulator } from './simulator.ts';

/** How far a side has come since it started. Each grows by one a message; `receipts` by one a status that was applied. */
export interface Progress {
  sent: number;
  read: number;
  receipts: number;
}

/** The processes a side's work runs in. */
export interface Processes {
  server: number[];
  postgres: number[];
  provider: number[];
}

/** What is measured: the product or its floor. Both take the same requests. */
export interface Side extends AsyncDisposable {
  readonly name: 'product' | 'floor';
  readonly url: string;
  /** Senders in portfolios of their own, and their numbers at the provider in the same order. */
  readonly senders: readonly string[];
  readonly numbers: readonly string[];
  /** Signs webhooks. */
  readonly secret: string;
  readonly simulator: Simulator;
  /** Authorised to send. */
  readonly load: LoadClient;
  progress(): Promise<Progress>;
  processes(): Processes;
}
