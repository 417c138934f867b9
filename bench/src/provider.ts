import { request } from 'undici';
import { start } from './child.ts';
import type { Simulator } from './simulator.ts';

/** A bare provider before a simulator: it answers sends by itself and keeps nothing, so that the sender is what is measured. */
export interface Provider extends Simulator {
  /** How many sends came. */
  sends(): Promise<number>;
  /** Waits until the `to`th of all sends came. Gives the seconds since the `from`th. */
  secondsBetween(from: number, to: number): Promise<number>;
}

/** How long it takes for an answer. */
export const PROVIDER_MS = 5;

/** Starts one. It sends no receipts. */
export async function startProvider(simulator: Simulator): Promise<Provider> {
  const child = await start('bench/peers/provider.ts', ['--simulator', simulator.url, '--delay', String(PROVIDER_MS)], {
    ready: /^provider ready (http:\/\/\S+)$/m,
  });
  const ask = async (query: string): Promise<{ sends: number; seconds?: number }> => {
    // It answers when it is so far.
    const answer = await request(`${child.url}/_sends${query}`, { headersTimeout: 0 });
    return (await answer.body.json()) as { sends: number; seconds?: number };
  };
  return {
    ...simulator,
    url: child.url,
    pid: child.pid,
    sends: async () => (await ask('')).sends,
    async secondsBetween(from, to) {
      const { seconds } = await ask(`?from=${from}&to=${to}`);
      if (seconds === undefined) throw new Error(`the provider had ${to} sends already`);
      return seconds;
    },
    [Symbol.asyncDispose]: async () => {
      await child.stop();
    },
  };
}
