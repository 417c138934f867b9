import type { BegunSend } from '../actions/begin-sends.ts';
import { recordPauses, releaseToCountry, type Trouble } from '../actions/pauses.ts';
import type { Db } from '../db/pool.ts';
import type { PauseCause } from '../domain/causes.ts';
import type { MessageId, SenderId } from '../domain/ids.ts';
import type { Outcome } from '../domain/outcome.ts';
import { longestProbe, pausedCountry, probeDelay, probeVerdict } from '../domain/pause.ts';
import { PAUSE_SCOPES, type PauseScope, pauseOf } from '../domain/provider-errors.ts';
import type { Deferral } from '../domain/schedule/schedule.ts';
import type { Clock } from '../runtime/clock.ts';
import { type Part, part } from '../runtime/lifecycle.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { createRounds } from '../runtime/rounds.ts';
import type { Signals } from '../signals/signals.ts';
import { countPauses, findLanePauses, findPlaces, type LanePause, type PauseCount } from '../store/pauses.read.ts';
import { createBreakers } from './breakers.ts';
import type { Gate } from './gate.ts';

/**
 * The gate that the sending loop asks: what the table `pauses` says of the senders of its lanes, kept in memory, and what calls have shown
 * since. What an outcome shuts is shut for its sender at once; one writer brings it to the table, with retries, and then everybody reads
 * it. While nothing is shut, an outcome costs one look and a count.
 *
 * When the time for a probe has come, one message goes: its outcome ends the pause, or makes the next wait longer. Several instances probe
 * what they share (an app, the provider) each for itself.
 */
export interface Pauses extends Gate, Part {
  /** What stands still anywhere, as of the last reading. */
  readonly summary: PauseSummary;
}

export interface PauseSummary {
  /** Of the breakers the worst: open, or half open when all that are shut may be probed. */
  breaker: 'closed' | 'half_open' | 'open';
  byScope: Readonly<Record<PauseScope, number>>;
}

export interface PausesOptions {
  db: Db;
  signals: Signals;
  clock: Clock;
  logger: Pick<Logger, 'info' | 'warn' | 'error'>;
  metrics: Pick<Metrics, 'pauses'>;
  /** Milliseconds between readings that no signal asked for. */
  every?: number;
  /** A number from 0 to 1. */
  random?: () => number;
}

/** A pause as it is kept here. Times of the monotonic clock. */
interface Kept {
  /** null: it is not in the table yet. */
  id: string | null;
  scope: PauseScope;
  cause: PauseCause;
  /** Of the scope `country`: which, and what of. */
  country: string | null;
  key: string | null;
  probeAt: number;
  /** Not before this either: a probe has just told nothing. */
  restsUntil: number;
  probes: number;
  /** Who is let through to see, from when it is offered: the one that goes is known when it has begun. */
  probe: { sender: SenderId; message: MessageId | null; until: number } | null;
  /** Senders that were offered the probe and had nothing to send: the others come first until then. */
  passed: Map<SenderId, number>;
  /** Messages put off since the last probe, of the scope `country`. */
  putOff: number;
}

/** An offered probe that does not begin within this is offered to another sender, and one that has begun is given up. Milliseconds. */
const OFFER = 1000;
const PATIENCE = 300_000;
/** As often as the lease is renewed. */
const READ_EVERY = 1500;
/** For so long the others come first. */
const PASSED = 5000;
/** So many messages to a country are due again for the next probe, the others this much later, in milliseconds: its end wakes them. */
const FOR_PROBE = 100;
const MUCH_LATER = 3_600_000;
/** After a probe whose outcome said nothing. */
const REST = 5000;
/** So long after the end of a country's pause its messages are looked for: a round may have been about to put some off. Milliseconds. */
const LOOKED_FOR = 10_000;
/** Most that wait to be written. Beyond, what is shut is kept here alone, until a probe fails. */
const MOST_WAITING = 10_000;

export function createPauses(options: PausesOptions): Pauses {
  const { db, signals, clock, logger, metrics, random = Math.random } = options;
  let lanes: readonly number[] = [];
  /** Without those of the scope `country`, which hold single messages. */
  let bySender = new Map<SenderId, Kept[]>();
  let countries = new Map<SenderId, Kept[]>();
  let kept = new Map<string, { pause: Kept; lanes: Set<number> }>();
  /** Keys of countries whose pause is over, and until when what was put off for it is looked for. */
  const lookedFor = new Map<string, number>();
  /** Ended here, and perhaps in the table still. */
  const ended = new Set<string>();
  /** Shut here, and not in the table yet. */
  const own = new Map<Kept, SenderId>();
  const offered = new Set<Kept>();
  const troubles = new Map<string, { trouble: Trouble; pause: Kept | null }>();
  const ends = new Set<string>();
  let summary: PauseSummary = summaryOf([]);
  let reading: Promise<void> | undefined;
  let readAgain = false;
  let writing: Promise<void> | undefined;
  let unlisten = (): void => {};
  const breakers = createBreakers({
    now: clock.monotonic,
    isShut: isInTrouble,
    findPlaces: (senders) => findPlaces(db, senders),
    trip({ tenant_id: tenant, sender_id: sender, lane_id }, outcome, { scope, within }) {
      const trouble: Trouble = { tenant, sender, scope, cause: 'provider_trouble', ...toldBy(outcome), country: null };
      shut({ lane_id }, { ...trouble, within }, null);
    },
    failed: (error) => logger.warn({ error }, 'a breaker could not be tripped'),
  });

  const failed = (error: unknown) => logger.warn({ error }, 'pauses could not be read');

  function keep(sender: SenderId, pause: Kept): void {
    const into = pause.scope === 'country' ? countries : bySender;
    const before = into.get(sender);
    if (before) before.push(pause);
    else into.set(sender, [pause]);
  }

  function drop(pause: Kept): void {
    for (const all of [bySender, countries]) {
      for (const [sender, list] of all) {
        const rest = list.filter((one) => one !== pause);
        if (rest.length === 0) all.delete(sender);
        else if (rest.length < list.length) all.set(sender, rest);
      }
    }
    own.delete(pause);
  }

  // Reading.

  function refresh(): Promise<void> {
    readAgain = true;
    reading ??= (async () => {
      while (readAgain) {
        readAgain = false;
        await read();
      }
    })().finally(() => {
      reading = undefined;
    });
    return reading;
  }

  async function read(): Promise<void> {
    const counts = await countPauses(db);
    const rows = counts.length === 0 || lanes.length === 0 ? [] : await findLanePauses(db, lanes);
    const now = clock.monotonic();
    const before = kept;
    kept = new Map();
    bySender = new Map();
    countries = new Map();
    for (const row of rows) {
      if (ended.has(row.id)) continue;
      let entry = kept.get(row.id);
      if (!entry) {
        const known = before.get(row.id)?.pause;
        const probeAt = probeTime(row, known, now);
        const country = row.scope === 'country' ? (row.key.split('/')[2] ?? '') : null;
        const { id, scope, cause, probes } = row;
        let pause: Kept = { ...made(scope, cause, country, probeAt), id, key: row.key, probes };
        // What is under way, and what is not written yet, is known here only.
        if (known && known.probes >= probes) pause = known.probes > probes ? known : Object.assign(known, { probeAt });
        entry = { pause, lanes: new Set() };
        kept.set(id, entry);
      }
      entry.lanes.add(row.lane_id);
      keep(row.sender_id, entry.pause);
    }
    for (const [pause, sender] of own) keep(sender, pause);
    breakers.settle(isInTrouble);
    const gone = [...before].flatMap(([id, entry]) => (kept.has(id) ? [] : [entry]));
    for (const { lanes: held } of gone) for (const lane of held) signals.notify(`due:${lane}`);
    summary = summaryOf(counts);
    metrics.pauses.replace(counts.map(({ scope, cause, count }) => ({ value: count, labels: { scope, cause } })));
    for (const { pause } of gone) lookFor(pause);
    const paused = new Set([...kept.values()].map(({ pause }) => pause.key));
    for (const [key, end] of lookedFor) {
      if (paused.has(key) || end <= now) lookedFor.delete(key);
      else await releaseToCountry(db, signals, key);
    }
  }

  function lookFor({ country, key }: Kept): void {
    if (country !== null && key !== null) lookedFor.set(key, clock.monotonic() + LOOKED_FOR);
  }

  // Writing.

  function write(): void {
    writing ??= (async () => {
      while (troubles.size + ends.size > 0) {
        const opened = [...troubles.values()];
        const over = [...ends];
        troubles.clear();
        ends.clear();
        const list = opened.map(({ trouble }) => trouble);
        await recordPauses(db, signals, list, over, random);
        for (const { pause } of opened) if (pause) own.delete(pause);
        await refresh().catch(failed);
        for (const id of over) ended.delete(id);
      }
    })()
      .catch((error: unknown) => {
        ended.clear();
        logger.error({ error }, 'pauses could not be written: they hold here only');
      })
      .finally(() => {
        writing = undefined;
      });
  }

  function shut(send: Pick<BegunSend, 'lane_id'>, trouble: Trouble, known: Kept | null): void {
    const { scope, cause, country, sender } = trouble;
    let pause: Kept | null = null;
    if (known === null) {
      pause = made(scope, cause, country, clock.monotonic() + probeDelay(cause, 0, random(), trouble.wish));
      own.set(pause, sender);
      keep(sender, pause);
      const { code, title, detail } = trouble;
      logger.warn({ sender_id: sender, lane: send.lane_id, scope, cause, code, title, detail }, 'a queue stands still');
    } else {
      known.probes++;
      known.putOff = 0;
      known.probeAt = clock.monotonic() + probeDelay(cause, known.probes, random(), trouble.wish);
    }
    if (troubles.size < MOST_WAITING) troubles.set(`${scope} ${sender} ${cause} ${country}`, { trouble, pause });
    write();
  }

  function open(pause: Kept, { sender_id, lane_id }: BegunSend): void {
    drop(pause);
    logger.info({ sender_id, lane: lane_id, scope: pause.scope, cause: pause.cause }, 'a queue goes on');
    const entry = pause.id === null ? undefined : kept.get(pause.id);
    if (pause.id !== null) {
      ended.add(pause.id);
      ends.add(pause.id);
      kept.delete(pause.id);
      lookFor(pause);
    }
    for (const lane of new Set([lane_id, ...(entry?.lanes ?? [])])) signals.notify(`due:${lane}`);
    write();
  }

  // Asking.

  function isInTrouble(sender: SenderId): boolean {
    return bySender.get(sender)?.some(({ cause }) => cause === 'provider_trouble') ?? false;
  }

  /** When a pause may be probed for a sender. */
  function opensAt({ probeAt, restsUntil, probe, passed }: Kept, sender: SenderId, now: number): number {
    const turn = Math.max(probeAt, restsUntil, passed.get(sender) ?? probeAt);
    if (probe === null || probe.until <= now) return turn;
    return probe.message === null && probe.sender === sender ? turn : Math.max(turn, probe.until);
  }

  function offer(pause: Kept, sender: SenderId, now: number): void {
    pause.probe = { sender, message: null, until: now + OFFER };
    offered.add(pause);
  }

  function room(sender: SenderId, now: number): number {
    const list = bySender.get(sender);
    if (list === undefined) return breakers.isTripping(sender) ? 0 : Number.POSITIVE_INFINITY;
    if (list.some((pause) => opensAt(pause, sender, now) > now)) return 0;
    for (const pause of list) offer(pause, sender, now);
    return 1;
  }

  function until(sender: SenderId): number {
    const list = bySender.get(sender);
    const now = clock.monotonic();
    if (list === undefined) return breakers.isTripping(sender) ? now + OFFER : Number.NEGATIVE_INFINITY;
    return Math.max(...list.map((pause) => opensAt(pause, sender, now)));
  }

  const holds: Gate['holds'] = (candidate): Deferral | null => {
    if (countries.size === 0) return null;
    const list = countries.get(candidate.sender_id);
    if (list === undefined) return null;
    const country = pausedCountry(candidate.address);
    const now = clock.monotonic();
    for (const pause of list) {
      if (pause.country !== country) continue;
      const isOffered = pause.probe?.message === null && pause.probe.until > now;
      const opens = opensAt(pause, candidate.sender_id, now);
      if (opens <= now && !isOffered) offer(pause, candidate.sender_id, now);
      else {
        const delay = Math.max(opens - now, REST);
        return { delay: pause.putOff++ < FOR_PROBE ? delay : delay + MUCH_LATER, cause: 'country_paused' };
      }
    }
    return null;
  };

  function begun(sends: readonly BegunSend[]): void {
    if (bySender.size + countries.size === 0) return;
    const now = clock.monotonic();
    // Also what was asked for before this round's other half let its offer go.
    for (const { sender_id, message_id } of sends) {
      for (const pause of bySender.get(sender_id) ?? []) {
        if (pause.probe === null && pause.probeAt <= now)
          pause.probe = { sender: sender_id, message: message_id, until: now + PATIENCE };
      }
    }
    for (const pause of offered) {
      const { probe, passed } = pause;
      if (probe?.message !== null) continue;
      const send = sends.find(
        ({ sender_id, address }) =>
          sender_id === probe.sender && (pause.country === null || pause.country === pausedCountry(address)),
      );
      if (send) {
        pause.probe = { sender: probe.sender, message: send.message_id, until: now + PATIENCE };
        passed.clear();
      } else {
        pause.probe = null;
        for (const [sender, end] of passed) if (end <= now) passed.delete(sender);
        if (pause.scope !== 'sender' && pause.scope !== 'country') passed.set(probe.sender, now + PASSED);
      }
    }
    offered.clear();
  }

  function observe(send: BegunSend, outcome: Outcome): void {
    const { sender_id: sender } = send;
    if (bySender.size + countries.size > 0) judgeProbes(send, outcome);
    breakers.observe(send, outcome);
    if (outcome.kind !== 'error') return;
    const stops = pauseOf(outcome.code);
    if (stops === null) return;
    const country = stops.scope === 'country' ? pausedCountry(send.address) : null;
    const list = (country === null ? bySender : countries).get(sender) ?? [];
    const known = list.some((one) => one.scope === stops.scope && one.cause === stops.cause && one.country === country);
    if (!known) shut(send, { tenant: send.tenant_id, sender, ...stops, ...toldBy(outcome), country }, null);
  }

  function judgeProbes(send: BegunSend, outcome: Outcome): void {
    const { tenant_id: tenant, sender_id: sender, message_id } = send;
    for (const pause of [...(bySender.get(sender) ?? []), ...(countries.get(sender) ?? [])]) {
      if (pause.probe?.message !== message_id) continue;
      pause.probe = null;
      const { scope, cause, country } = pause;
      const verdict = probeVerdict(cause, scope, outcome);
      if (verdict === 'over') open(pause, send);
      else if (verdict === 'goes on') {
        const told = toldBy(outcome);
        shut(send, { tenant, sender, scope, cause, ...told, country }, pause);
      } else pause.restsUntil = clock.monotonic() + REST;
    }
  }

  // Another instance's signals may not reach this one.
  const readings = createRounds({ every: options.every ?? READ_EVERY, round: refresh, failed });

  return {
    ...part(
      'pauses',
      async () => {
        unlisten = signals.listen('pauses', () => void refresh().catch(failed));
        await refresh();
        readings.start();
      },
      async () => {
        unlisten();
        await readings.stop();
        await writing;
        await reading?.catch(() => {});
      },
    ),
    room,
    until,
    holds,
    begun,
    observe,
    refresh(ofLanes) {
      lanes = ofLanes;
      return refresh();
    },
    get summary() {
      return summary;
    },
  };
}

function made(scope: PauseScope, cause: PauseCause, country: string | null, probeAt: number): Kept {
  return {
    ...{ id: null, scope, cause, country, key: null, probeAt, probes: 0 },
    ...{ restsUntil: Number.NEGATIVE_INFINITY, probe: null, passed: new Map(), putOff: 0 },
  };
}

/**
 * When a pause of the table may be probed. Further ahead than any wait is long it lies when the database's clock was set back: then that
 * wait is counted from when it was first seen.
 */
function probeTime({ cause, probe_in }: LanePause, known: Kept | undefined, now: number): number {
  if (probe_in === null) return Number.POSITIVE_INFINITY;
  const longest = longestProbe(cause);
  return now + (probe_in <= longest ? probe_in : Math.min(longest, (known?.probeAt ?? Number.POSITIVE_INFINITY) - now));
}

/** What an outcome tells a person. */
function toldBy(outcome: Outcome): Pick<Trouble, 'code' | 'title' | 'detail' | 'wish'> {
  if (outcome.kind === 'error') {
    const { code, title, detail, retryAfter: wish } = outcome;
    return { code, title, detail, wish };
  }
  const detail = 'detail' in outcome ? outcome.detail : null;
  return { code: null, title: 'WhatsApp fails or does not answer', detail, wish: null };
}

function summaryOf(counts: readonly PauseCount[]): PauseSummary {
  const byScope = Object.fromEntries(PAUSE_SCOPES.map((scope) => [scope, 0])) as Record<PauseScope, number>;
  for (const { scope, count } of counts) byScope[scope] += count;
  const breakers = counts.filter(({ cause }) => cause === 'provider_trouble');
  const breaker = breakers.length === 0 ? 'closed' : breakers.some(({ shut }) => shut > 0) ? 'open' : 'half_open';
  return { breaker, byScope };
}
