import type { BegunSend } from '../actions/begin-sends.ts';
import type { SenderId, TenantId } from '../domain/ids.ts';
import type { Outcome } from '../domain/outcome.ts';
import { isTrouble } from '../domain/pause.ts';
import {
  type BreakerScope,
  breakerScope,
  type CallWindow,
  callWindow,
  type SenderHealth,
} from '../domain/schedule/breaker.ts';
import type { SenderPlace } from '../store/pauses.read.ts';

/**
 * The circuit breakers of the senders that this instance calls for: counts what comes of their calls, and tells when the widest scope that
 * is in trouble is to be shut. What is shut, and when it is looked at again, pauses keep.
 */
export interface Breakers {
  /** Counts an outcome, and trips the breaker of its sender if it is one too many. */
  observe(send: BegunSend, outcome: Outcome): void;
  /** Whether a sender's breaker has tripped and its pause is about to be opened. */
  isTripping(sender: SenderId): boolean;
  /** Forgets that breakers have tripped whose pauses are over. */
  settle(isShut: (sender: SenderId) => boolean): void;
}

export interface BreakersOptions {
  /** Milliseconds of the monotonic clock. */
  now: () => number;
  /** Whether trouble has shut a sender already: what was under way then says nothing of how it is later. */
  isShut: (sender: SenderId) => boolean;
  findPlaces: (senders: readonly { tenant: TenantId; sender: SenderId }[]) => Promise<SenderPlace[]>;
  trip: (send: BegunSend, outcome: Outcome, scope: BreakerScope) => void;
  failed: (error: unknown) => void;
}

/** Most senders whose calls are counted. Beyond, the first is forgotten: it is learned again. */
const MOST_WINDOWS = 20_000;
/** How long it is believed where a sender stands, in milliseconds. */
const PLACES_FOR = 60_000;

export function createBreakers({ now, isShut, findPlaces, trip, failed }: BreakersOptions): Breakers {
  const windows = new Map<SenderId, { tenant: TenantId; window: CallWindow }>();
  const tripped = new Map<SenderId, 'soon' | 'shut'>();
  /** null: a webhook, which has no breaker. */
  const places = new Map<SenderId, SenderPlace | null>();
  let placesReadAt = Number.NEGATIVE_INFINITY;

  async function readPlaces(): Promise<void> {
    if (now() - placesReadAt > PLACES_FOR) {
      places.clear();
      placesReadAt = now();
    }
    const unknown = [...windows].flatMap(([id, one]) => (places.has(id) ? [] : [{ tenant: one.tenant, sender: id }]));
    const found = new Map((await findPlaces(unknown)).map((place) => [place.id, place]));
    for (const { sender } of unknown) places.set(sender, found.get(sender) ?? null);
  }

  async function open(send: BegunSend, outcome: Outcome): Promise<void> {
    const { sender_id: sender } = send;
    await readPlaces();
    // Each call of a webhook waits for itself.
    if (!places.get(sender)) {
      tripped.delete(sender);
      return;
    }
    const health: SenderHealth[] = [...windows].flatMap(([id, { window }]) => {
      const place = places.get(id);
      return place ? [{ ...place, sender: id, tripped: tripped.has(id), well: window.isWell(now()) }] : [];
    });
    tripped.set(sender, 'shut');
    trip(send, outcome, breakerScope(sender, health));
  }

  return {
    observe(send, outcome) {
      const { tenant_id: tenant, sender_id: sender } = send;
      const bad = isTrouble(outcome);
      if (bad === null || tripped.has(sender) || isShut(sender)) return;
      let entry = windows.get(sender);
      if (!entry) {
        if (windows.size >= MOST_WINDOWS) windows.delete(windows.keys().next().value as SenderId);
        entry = { tenant, window: callWindow() };
        windows.set(sender, entry);
      }
      if (!entry.window.observe(bad, now()) || places.get(sender) === null) return;
      tripped.set(sender, 'soon');
      open(send, outcome).catch((error: unknown) => {
        tripped.delete(sender);
        failed(error);
      });
    },
    isTripping: (sender) => tripped.get(sender) === 'soon',
    settle(isShutNow) {
      for (const [sender, state] of tripped) if (state === 'shut' && !isShutNow(sender)) tripped.delete(sender);
    },
  };
}
