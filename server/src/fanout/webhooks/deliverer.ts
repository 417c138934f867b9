import {
  type ClaimedDelivery,
  returnDeliveries,
  type SettledDelivery,
  takeDeliveries,
} from '../../actions/webhook-deliveries.ts';
import { disableTroubled, noteEndpoint } from '../../actions/webhook-endpoints.ts';
import type { Db } from '../../db/pool.ts';
import { type EndpointId, type TenantId, timeOfId } from '../../domain/ids.ts';
import { GONE, pauseAfter, type TryOutcome } from '../../domain/webhook-retry.ts';
import type { Clock } from '../../runtime/clock.ts';
import { failpoint } from '../../runtime/failpoints.ts';
import { type Part, part } from '../../runtime/lifecycle.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { createPause } from '../../runtime/pause.ts';
import type { Signals } from '../../signals/signals.ts';
import type { EventRow } from '../../store/events.read.ts';
import { findEvents } from '../../store/webhook-deliveries.read.ts';
import {
  type DueEndpoint,
  type DuePlace,
  findOpenEndpoints,
  walkDueEndpoints,
} from '../../store/webhook-endpoints.read.ts';
import type { Handed, HandedPage } from './handed-page.ts';
import { createLanes } from './lanes.ts';
import { bodyOf, testBody } from './posted-body.ts';
import type { Poster } from './poster.ts';

/**
 * Posts what is due to customers' endpoints. A round asks which endpoints have something due and how much of it may go
 * (`lanes.ts`), takes that for a while, builds what is posted from the log, and begins the calls; it waits for none of them. What
 * came of a call is recorded together with others'. After a crash another takes up what was in hand when its time is over, so an
 * event is posted at least once. New events are handed over by who reads the log (`maker.ts`), before they are stored.
 */
export interface Deliverer extends Part {
  /** How many new events may be handed over for an endpoint now. Null: none, for it has trouble, or does not answer quickly. */
  roomOf(endpoint: DueEndpoint): number | null;
  /** Posts what was handed over, soon, and tells the page what comes of it. At most as many as there was room. */
  hand(tenant: TenantId, page: HandedPage): void;
}

export interface DelivererOptions {
  db: Db;
  signals: Signals;
  poster: Poster;
  clock: Clock;
  logger: Pick<Logger, 'error' | 'warn' | 'info'>;
  metrics: Pick<Metrics, 'webhookDeliveries' | 'webhookDelivery'>;
  /** Milliseconds between two looks when nothing waits. */
  pollInterval: number;
  /** Milliseconds for which a delivery is taken. */
  hold: number;
  /** How much of that a call takes at most, in milliseconds. */
  timeout: number;
  /** Milliseconds after which an endpoint that only fails is disabled. */
  disableAfter: number;
  random?: () => number;
  /** Hands in what came of a call, to be recorded with others. */
  settle: (settled: Settled) => Promise<void>;
}

/** What came of a call. `lined`: it stood in a line. */
export type Settled = SettledDelivery & { lined: boolean };

/** Endpoints of one look. */
const PLACES = 200;
/** Milliseconds that calls under way are waited for at the end. */
const LAST_CALLS = 3000;

/** A delivery in hand with what is posted. */
interface Ready {
  claimed: ClaimedDelivery;
  endpoint: DueEndpoint;
  keys: readonly Buffer[];
  body: string;
  /** Monotonic: it is not begun after this, for another may have it before the call ends. */
  until: number;
  /** Where it was handed over: by whom. */
  handed: { page: HandedPage; one: Handed } | null;
}

export function createDeliverer(options: DelivererOptions): Deliverer {
  const { db, signals, poster, clock, logger, metrics, hold, timeout, disableAfter, settle } = options;
  const { random = Math.random } = options;
  const lanes = createLanes();
  const queues = new Map<EndpointId, Ready[]>();
  const keys = new Map<EndpointId, { sealed: readonly (Buffer | null)[]; keys: readonly Buffer[] }>();
  /** Endpoints that failed here since something went well there. */
  const failing = new Set<EndpointId>();
  const rest = createPause();
  const calls = new Set<Promise<void>>();
  let unlisten = () => {};
  let ending = false;
  let loop: Promise<void> = Promise.resolve();

  async function run(): Promise<void> {
    while (!ending) {
      rest.reset();
      let wait = options.pollInterval;
      try {
        wait = await round();
      } catch (error) {
        logger.warn({ error, part: 'webhooks' }, 'a round of webhook deliveries failed');
      }
      if (!ending) await rest.wait(wait);
    }
  }

  /** @returns milliseconds until the next is worth while, unless something wakes it before. */
  async function round(): Promise<number> {
    let wait = options.pollInterval;
    let after: DuePlace | null = null;
    for (;;) {
      const places: DuePlace[] = await walkDueEndpoints(db, after, PLACES);
      const now = clock.monotonic();
      const due = places.filter((place) => {
        const left = Math.max(place.wait, lanes.restOf(place.endpoint_id, now));
        if (left > 0) wait = Math.min(wait, left);
        return left <= 0 && lanes.roomOf(place.endpoint_id, now) > 0;
      });
      if (due.length > 0) await takeOf(due);
      after = places.at(-1) ?? null;
      if (places.length < PLACES || ending) return Math.max(1, wait);
    }
  }

  async function takeOf(places: readonly DuePlace[]): Promise<void> {
    const endpoints = new Map((await findOpenEndpoints(db, places)).map((endpoint) => [endpoint.id, endpoint]));
    const now = clock.monotonic();
    const asks = [...endpoints.values()].flatMap(({ tenant_id, id: endpoint_id }) => {
      const room = lanes.roomOf(endpoint_id, now);
      if (room > 0) lanes.take(endpoint_id, room);
      return room > 0 ? [{ tenant_id, endpoint_id, room }] : [];
    });
    if (asks.length === 0) return;
    let claimed: ClaimedDelivery[] = [];
    try {
      claimed = await takeDeliveries(db, asks, hold);
    } finally {
      const taken = Map.groupBy(claimed, (one) => one.endpoint_id);
      for (const { endpoint_id, room } of asks) {
        const n = taken.get(endpoint_id)?.length ?? 0;
        lanes.letGo(endpoint_id, room - n);
        lanes.of(endpoint_id).full = n === room;
      }
    }
    if (claimed.length > 0) await begin(claimed, endpoints, now + hold - timeout);
  }

  async function begin(
    claimed: readonly ClaimedDelivery[],
    endpoints: ReadonlyMap<EndpointId, DueEndpoint>,
    until: number,
  ): Promise<void> {
    let bodies: ReadonlyMap<string, string>;
    try {
      bodies = await bodiesOf(claimed);
    } catch (error) {
      for (const { endpoint_id } of claimed) lanes.letGo(endpoint_id, 1);
      await returnDeliveries(db, claimed);
      throw error;
    }
    for (const one of claimed) {
      const endpoint = endpoints.get(one.endpoint_id) as DueEndpoint;
      const body = one.kind === 'test' ? testBody(one) : bodies.get(one.event_id);
      const signing = body === undefined ? 'its event is kept no longer' : keysOf(endpoint);
      if (body === undefined || typeof signing === 'string') {
        const outcome = { status: null, detail: String(signing), answer: null, retryAfter: null };
        const why: TryOutcome = { kind: 'failed', ...outcome };
        const ready = { claimed: one, endpoint, keys: [], body: '', until, handed: null };
        void record(ready, why, clock.now(), 0, body === undefined);
        continue;
      }
      queueUp({ claimed: one, endpoint, keys: signing, body, until, handed: null });
    }
    for (const id of new Set(claimed.map((one) => one.endpoint_id))) pump(id);
  }

  function queueUp(ready: Ready): void {
    const { id } = ready.endpoint;
    const queue = queues.get(id);
    if (queue) queue.push(ready);
    else queues.set(id, [ready]);
  }

  function hand(tenant_id: TenantId, page: HandedPage): void {
    const until = clock.monotonic() + hold - timeout;
    const bodies = new Map<EventRow, string>();
    const endpoints = new Set<EndpointId>();
    for (const one of page.deliveries) {
      const { delivery, event, endpoint } = one;
      let body = bodies.get(event);
      if (body === undefined) {
        body = bodyOf(event);
        bodies.set(event, body);
      }
      // Where they cannot be opened there was no room.
      const signing = keysOf(endpoint) as readonly Buffer[];
      lanes.hand(endpoint.id, 1);
      const claimed = { ...delivery, tenant_id, tries: 1 };
      queueUp({ claimed, endpoint, keys: signing, body, until, handed: { page, one } });
      endpoints.add(endpoint.id);
    }
    for (const id of endpoints) pump(id);
  }

  /** What is posted, by event: one text for all endpoints that get it. */
  async function bodiesOf(claimed: readonly ClaimedDelivery[]): Promise<ReadonlyMap<string, string>> {
    const wanted = new Map<
      string,
      { tenant_id: ClaimedDelivery['tenant_id']; event_xid: string; event_id: ClaimedDelivery['event_id'] }
    >();
    for (const { tenant_id, event_xid, event_id } of claimed) {
      if (event_xid !== null) wanted.set(event_id, { tenant_id, event_xid, event_id });
    }
    const rows = wanted.size === 0 ? [] : await findEvents(db, [...wanted.values()]);
    return new Map(rows.map((row) => [row.event_id, bodyOf(row)]));
  }

  /** What signs for an endpoint, opened once; or why nothing does. */
  function keysOf(endpoint: DueEndpoint): readonly Buffer[] | string {
    const sealed = [endpoint.secret_sealed, endpoint.previous_secret_sealed];
    const known = keys.get(endpoint.id);
    if (known?.sealed.every((one, i) => (one === null ? sealed[i] === null : sealed[i]?.equals(one))))
      return known.keys;
    try {
      const opened = poster.keysOf(endpoint);
      if (keys.size >= MOST_KEYS) keys.clear();
      keys.set(endpoint.id, { sealed, keys: opened });
      return opened;
    } catch (error) {
      const { tenant_id, id } = endpoint;
      logger.error({ error, tenant_id, endpoint_id: id }, 'the secret of a webhook endpoint cannot be opened');
      return 'its secret cannot be opened';
    }
  }

  /** Begins calls to an endpoint as far as its window lets. To one that rests none: what is in hand for it is given back. */
  function pump(id: EndpointId): void {
    const queue = queues.get(id);
    if (!queue) return;
    const lane = lanes.of(id);
    const unbegun: Ready[] = [];
    const rests = lanes.restOf(id, clock.monotonic()) > 0;
    while ((rests || lane.calling < lane.window) && queue.length > 0 && !ending) {
      const ready = queue.shift() as Ready;
      // It was in hand for too long: before its call ends another may have it.
      if (rests || clock.monotonic() > ready.until) {
        letGo(ready);
        ready.handed?.page.ended();
        unbegun.push(ready);
        continue;
      }
      lanes.call(id, clock.monotonic());
      const call = deliver(ready)
        .catch((error: unknown) => {
          // Only a failpoint does that, in place of a crash: what came of the call is lost, and another takes it when its time is over.
          lane.calling--;
          letGo(ready);
          ready.handed?.page.ended();
          logger.warn({ error, part: 'webhooks' }, 'what came of a webhook delivery is lost');
        })
        .finally(() => calls.delete(call));
      calls.add(call);
    }
    if (queue.length === 0) queues.delete(id);
    for (const [page, some] of Map.groupBy(unbegun, ({ handed }) => handed?.page ?? null)) giveBack(page, some);
  }

  /** @param page by which they were handed over: they can be given back when it is stored. */
  function giveBack(page: HandedPage | null, unbegun: readonly Ready[]): void {
    const back = async (): Promise<void> => {
      if (page !== null && !(await page.stored)) return;
      await returnDeliveries(
        db,
        unbegun.map(({ claimed }) => claimed),
      );
    };
    // What is not given back is another's when its time is over.
    const given: Promise<void> = back()
      .catch((error: unknown) => logger.warn({ error, part: 'webhooks' }, 'webhook deliveries could not be given back'))
      .finally(() => calls.delete(given));
    calls.add(given);
  }

  function letGo({ endpoint, handed }: Ready): void {
    if (handed) lanes.unhand(endpoint.id, 1);
    else lanes.letGo(endpoint.id, 1);
  }

  async function deliver(ready: Ready): Promise<void> {
    const { claimed, endpoint, keys: signing, body } = ready;
    const [started_at, since] = [clock.now(), clock.monotonic()];
    const outcome = await poster.post(endpoint.url, signing, claimed.event_id, body);
    await failpoint('webhook_out.after_call');
    const now = clock.monotonic();
    lanes.learn(endpoint.id, outcome, now - since, now);
    const recorded = record(ready, outcome, started_at, Math.round(now - since), false);
    pump(endpoint.id);
    await recorded;
  }

  /** Has recorded what came of a try, then lets its place go. @param last nothing better can come of another. */
  async function record(
    ready: Ready,
    outcome: TryOutcome,
    started_at: number,
    took_ms: number,
    last: boolean,
  ): Promise<void> {
    const { endpoint } = ready;
    const { tenant_id, endpoint_id, id, tries, kind, event_id, conversation_id } = ready.claimed;
    const well = outcome.kind === 'delivered';
    const again = well || last ? null : pauseAfter(tries, outcome.retryAfter, random());
    const { status } = outcome;
    const said = well ? { detail: null, answer: null } : { detail: outcome.detail, answer: outcome.answer };
    const lined = conversation_id !== null;
    try {
      const settled = { tenant_id, endpoint_id, id, tries, again, status, ...said, started_at, took_ms, lined };
      const end = clock.now();
      const kept = ready.handed && (await told(ready.handed, settled));
      // It is made and posted once more, by whoever reads the log now.
      if (kept === 'dropped') return;
      if (kept !== 'taken') await settle(settled);
      metrics.webhookDeliveries.add(1, { result: well ? 'delivered' : again === null ? 'failed' : 'again' });
      if (well && kind === 'event') metrics.webhookDelivery.observe(Math.max(0, end - timeOfId(event_id)) / 1000);
      if (!last) await note(endpoint, outcome, tries);
    } catch (error) {
      logger.warn({ error, tenant_id, endpoint_id }, 'what came of a webhook delivery could not be recorded');
    } finally {
      letGo(ready);
      // What ended in a line may have let the next one go.
      if (lanes.wantsMore(endpoint_id) || (lined && again === null)) rest.wake();
    }
  }

  /**
   * Tells a page what came of one of its deliveries, and waits until it is stored.
   * @returns whether it is stored with that or without; `dropped`: it is not stored at all.
   */
  async function told(
    { page, one }: { page: HandedPage; one: Handed },
    settled: Settled,
  ): Promise<'taken' | 'without' | 'dropped'> {
    const taken = page.takes(one, settled);
    page.ended();
    if (!(await page.stored)) return 'dropped';
    return taken ? 'taken' : 'without';
  }

  /** Notes when an endpoint begins to fail and when it ends, and disables one that has failed for too long or is gone. */
  async function note(endpoint: DueEndpoint, outcome: TryOutcome, tries: number): Promise<void> {
    const { tenant_id, id, failing_since } = endpoint;
    if (outcome.kind === 'delivered') {
      if (failing.delete(id) || failing_since !== null) await noteEndpoint(db, tenant_id, id, false);
      return;
    }
    if (failing.size >= MOST_KEYS) failing.clear();
    failing.add(id);
    if (failing_since === null) await noteEndpoint(db, tenant_id, id, true);
    const gone = outcome.status === GONE;
    const age = failing_since === null ? 0 : clock.now() - failing_since.getTime();
    // A first try may be the first after days without any: one more tells.
    if (!gone && (age <= disableAfter || tries === 1)) return;
    const reason = gone ? 'it answered 410: it is gone' : `it failed for ${daysOf(disableAfter)}: ${outcome.detail}`;
    if (!(await disableTroubled({ db, signals }, tenant_id, id, reason, gone ? null : disableAfter))) return;
    logger.warn({ tenant_id, endpoint_id: id, reason }, 'a webhook endpoint is disabled');
  }

  const own = part(
    'webhook deliveries',
    async () => {
      unlisten = signals.listen('webhooks', rest.wake);
      loop = run();
    },
    async () => {
      ending = true;
      unlisten();
      rest.wake();
      await loop;
      const unbegun = [...queues.values()].flat().map(({ claimed }) => claimed);
      queues.clear();
      await returnDeliveries(db, unbegun);
      await Promise.race([Promise.all(calls), clockOut(LAST_CALLS)]);
    },
  );
  return {
    ...own,
    roomOf(endpoint) {
      const room = ending ? null : lanes.handRoomOf(endpoint.id, clock.monotonic());
      return room !== null && typeof keysOf(endpoint) === 'string' ? null : room;
    },
    hand,
  };
}

/** Secrets that are remembered opened. */
const MOST_KEYS = 1000;

function daysOf(ms: number): string {
  const hours = Math.round(ms / 3_600_000);
  return hours >= 48 ? `${Math.round(hours / 24)} days` : hours >= 1 ? `${hours} h` : `${Math.round(ms / 1000)} s`;
}

function clockOut(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
