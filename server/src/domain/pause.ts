import type { PauseCause } from './causes.ts';
import { countriesOf } from './country.ts';
import type { TenantId } from './ids.ts';
import type { Outcome } from './outcome.ts';
import { type PauseScope, pauseOf, providerError } from './provider-errors.ts';
import { atLeast, LONGEST_WISH } from './retry.ts';

/**
 * A queue that stands still. It is opened by what the provider says, and ends when one message that is let through (a probe) goes well,
 * or when a person changes what was wrong, or ends it. Its messages are held, not failed.
 *
 *     open ── probe_at comes: half open, one message goes ──► it goes well: over
 *       ▲                                                        │
 *       └── the same trouble: probes + 1, a longer wait ◄────────┘
 */
export interface Pause {
  id: string;
  /** null: whoever's messages; of an app, or of the provider. */
  tenant_id: TenantId | null;
  scope: PauseScope;
  /** The sender's id; APP/ACCOUNT; APP/ACCOUNT/COUNTRY; the app's id; the channel's name. */
  key: string;
  cause: PauseCause;
  /** The provider's, where one of its codes tripped it. */
  code: number | null;
  title: string;
  detail: string | null;
  opened_at: Date;
  /** When one message is let through to see; null: only a change by a person ends it. */
  probe_at: Date | null;
  /** How many found it still shut. */
  probes: number;
}

/** When a probe goes: after a wait that doubles with each that failed, of which at least the part `least` is waited. Milliseconds. */
export interface ProbeSchedule {
  base: number;
  cap: number;
  least: number;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const doubling = (base: number, cap: number): ProbeSchedule => ({ base, cap, least: 0.8 });

/** Where a person has to do something, probes are rare; what passes by itself is looked at soon. */
export const PROBES: Readonly<Record<PauseCause, ProbeSchedule>> = {
  token_invalid: doubling(10 * MINUTE, 10 * MINUTE),
  permission_missing: doubling(MINUTE, 10 * MINUTE),
  number_not_ready: doubling(MINUTE, 15 * MINUTE),
  restricted: doubling(10 * MINUTE, 2 * HOUR),
  payment_trouble: doubling(2 * MINUTE, HOUR),
  account_locked: doubling(10 * MINUTE, 2 * HOUR),
  country_restricted: doubling(10 * MINUTE, 2 * HOUR),
  call_rate: doubling(30 * SECOND, 15 * MINUTE),
  // An upgrade takes at most a minute (Meta: throughput).
  maintenance: { base: MINUTE, cap: MINUTE, least: 1 / 3 },
  provider_trouble: doubling(5 * SECOND, 5 * MINUTE),
};

/** The factor by which a wait is shortened, so that queues that were shut together are not probed together. `random`: 0 to 1. */
export function probeFactor(cause: PauseCause, random: number): number {
  const { least } = PROBES[cause];
  return least + (1 - least) * random;
}

/** Milliseconds until the next probe, when so many have failed; the provider's own wish is a lower bound. `random`: from 0 to 1. */
export function probeDelay(cause: PauseCause, probes: number, random: number, wish: number | null = null): number {
  const { base, cap } = PROBES[cause];
  return Math.max(Math.min(cap, base * 2 ** Math.min(probes, 30)) * probeFactor(cause, random), atLeast(wish));
}

/** The longest that may be waited for a probe, in milliseconds. */
export function longestProbe(cause: PauseCause): number {
  return Math.max(PROBES[cause].cap, LONGEST_WISH);
}

/** Causes that end with another token. */
export const TOKEN_CAUSES: readonly PauseCause[] = ['token_invalid', 'permission_missing'];

/** What an answer other than *sent* says against these, though it is an error: it would not have been given while they last. */
const ENDED_BY_ANSWER: readonly PauseCause[] = ['token_invalid', 'permission_missing', 'call_rate', 'maintenance'];

/**
 * Whether an outcome says that the other side is in trouble: no connection, no answer, a cut one, or a code that says so. Null: it says
 * nothing of that, because we stopped the call ourselves or the channel has no such trouble.
 */
export function isTrouble(outcome: Outcome): boolean | null {
  switch (outcome.kind) {
    case 'sent':
      return false;
    case 'unknown':
      return true;
    case 'not_sent':
      return outcome.own ? null : true;
    case 'error':
      return providerError(outcome.code).class === 'breaker';
    // Of webhooks: each tries again by itself, and costs nobody else.
    case 'again':
    case 'refused':
      return null;
  }
}

/**
 * What a probe's outcome says of the pause it was let through: that it is over, that it goes on, or nothing.
 */
export function probeVerdict(cause: PauseCause, scope: PauseScope, outcome: Outcome): 'over' | 'goes on' | 'nothing' {
  if (outcome.kind === 'sent') return 'over';
  const trouble = isTrouble(outcome);
  if (cause === 'provider_trouble') return trouble === null ? 'nothing' : trouble ? 'goes on' : 'over';
  if (trouble !== false || outcome.kind !== 'error') return trouble ? 'goes on' : 'nothing';
  const told = pauseOf(outcome.code);
  if (told?.cause === cause && told.scope === scope) return 'goes on';
  // A token that lacks a permission is a good one.
  if (told !== null) return cause === 'token_invalid' ? 'over' : 'nothing';
  return ENDED_BY_ANSWER.includes(cause) ? 'over' : 'nothing';
}

/** What stands for an address's country in the key of a pause: several, where nobody can tell which. */
export function pausedCountry(address: string): string {
  return countriesOf(address).join('+') || 'unknown';
}

/** What a person can do about a pause; null: nothing, it ends by itself. */
export function adviceOf({ cause, code }: Pick<Pause, 'cause' | 'code'>): string | null {
  if (cause === 'provider_trouble')
    return 'Nothing, unless the network from here to WhatsApp is cut: it goes on by itself.';
  return code === null ? null : providerError(code).advice;
}
