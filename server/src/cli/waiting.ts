import { setTimeout as sleep } from 'node:timers/promises';
import { Option } from 'commander';
import { OPEN_STATES, type State } from '../domain/message.ts';
import { readState } from './answers.ts';
import type { Client } from './client.ts';

/** The states that can be waited for, in their order. */
export const WAITABLE = ['sent', 'delivered', 'read'] as const;
export type Waitable = (typeof WAITABLE)[number];

/** How far a message is from the state waited for. */
export type Progress = 'open' | 'reached' | 'failed';

/** The option `--wait [STATE]`: `delivered` when no state is named. */
export function waitOption(description: string): Option {
  return new Option('--wait [STATE]', description).choices(WAITABLE).preset('delivered');
}

/** Whether a message in this state has come as far as `wanted`, still may, or ended before it. */
export function progressTo(wanted: Waitable, state: State): Progress {
  if (OPEN_STATES.some((open) => open === state)) return 'open';
  switch (state) {
    case 'failed':
    case 'cancelled':
    case 'expired':
      return 'failed';
    case 'played':
      return 'reached';
    default:
      return WAITABLE.some((reached, rank) => reached === state && rank >= WAITABLE.indexOf(wanted))
        ? 'reached'
        : 'open';
  }
}

/**
 * Asks for a message's state, ever more rarely up to once a second, until it reaches `wanted`, fails, or time is over.
 * @param timeout in milliseconds
 * @returns the last state seen
 */
export async function followMessage(client: Client, id: string, wanted: Waitable, timeout: number): Promise<State> {
  const began = performance.now();
  for (let pause = 25; ; pause = Math.min(pause * 1.5, 1_000)) {
    const state = readState(await client.request({ method: 'GET', path: `/api/v1/messages/${id}/status` }));
    const left = timeout - (performance.now() - began);
    if (progressTo(wanted, state) !== 'open' || left <= 0) return state;
    await sleep(Math.min(pause, left));
  }
}
