import type { HeldTenant } from '../../actions/follow-events.ts';
import { type DeliveryPage, keepDeliveries, readDeliveryPage } from '../../actions/webhook-deliveries.ts';
import type { Db } from '../../db/pool.ts';
import type { EventPosition } from '../../domain/event-cursor.ts';
import type { InstanceId, TenantId } from '../../domain/ids.ts';
import type { Clock } from '../../runtime/clock.ts';
import { failpoint } from '../../runtime/failpoints.ts';
import type { Signals } from '../../signals/signals.ts';
import type { PostingEndpoint } from '../../store/webhook-endpoints.read.ts';
import type { FollowerOptions } from '../follower.ts';
import type { Deliverer } from './deliverer.ts';
import { type HandedPage, handedPage, partPage } from './handed-page.ts';

/**
 * Makes deliveries of a tenant's log, page by page. What an endpoint takes at once is handed to who posts it, and stored with what came
 * of it; the rest is stored, to be taken when there is room. The next page is read and handed over while one is under way, and stored
 * after it: so the position never passes what is not stored.
 */
export interface MakerOptions {
  db: Db;
  signals: Signals;
  clock: Clock;
  instance: InstanceId;
  deliverer: Pick<Deliverer, 'roomOf' | 'hand'>;
  /** Milliseconds for which the tenant is held. */
  lease: number;
  /** Milliseconds for which what is handed over is ours once it is stored. */
  hold: number;
}

/** Events of a page, at most and at least. */
const PAGE = 500;
const LEAST_PAGE = 50;
/**
 * Milliseconds that a page waits for what is handed over: a full one, behind which there are more, and another, behind which somebody may
 * be waiting for the next event. What takes longer is settled by itself.
 */
const PATIENCE = 500;
const PATIENCE_AT_END = 50;
/** Milliseconds after which another tenant has its turn. */
const TURN = 2000;
const MOST_LIMITS = 1000;

/** @returns a follower's pass. */
export function createMaker(options: MakerOptions): FollowerOptions['pass'] {
  const { db, clock, instance, deliverer, lease, hold } = options;
  /** How large the next page is, of tenants whose turn ended before their log did. */
  const limits = new Map<TenantId, number>();

  return async ({ tenant_id: tenant, ...start }: HeldTenant, ending) => {
    const until = clock.monotonic() + TURN;
    let after: EventPosition = start;
    let limit = limits.get(tenant) ?? LEAST_PAGE;
    limits.delete(tenant);
    let storing: Promise<boolean> = Promise.resolve(true);
    for (;;) {
      const page = await readDeliveryPage(db, tenant, after, limit);
      const full = page.events.length === limit;
      const goesOn = full && !ending.aborted && clock.monotonic() < until;
      const handed = await hand(page);
      // Position by position: what stands before it is to be stored before it is.
      if (!(await storing.catch((error: unknown) => dropped(handed, error)))) {
        handed.page.settle(false);
        return null;
      }
      limit = limitOf(page.endpoints);
      storing = store(handed, full ? PATIENCE : PATIENCE_AT_END, goesOn);
      if (!goesOn) {
        if (full && limits.size < MOST_LIMITS) limits.set(tenant, limit);
        return (await storing) && full ? 0 : null;
      }
      // It is awaited in the next turn, and an error of its own is told there.
      storing.catch(() => {});
      after = page.at;
    }

    async function hand(page: DeliveryPage) {
      const now = clock.monotonic();
      const { handed, waiting } = partPage(page, (endpoint) => (ending.aborted ? null : deliverer.roomOf(endpoint)));
      const one = handedPage(handed, now + hold);
      if (handed.length > 0) {
        await failpoint('webhook_out.after_claim');
        deliverer.hand(tenant, one);
      }
      return { page: one, waiting, at: page.at };
    }

    async function store(
      { page, waiting, at }: Awaited<ReturnType<typeof hand>>,
      patience: number,
      goesOn: boolean,
    ): Promise<boolean> {
      let stored = false;
      try {
        await page.over(patience);
        const begun = page.close(clock.monotonic());
        stored = await keepDeliveries(options, tenant, instance, { waiting, begun, at, hold: goesOn ? lease : null });
        return stored;
      } finally {
        page.settle(stored);
      }
    }
  };

  /** As many as who takes them quickly has room for; who does not is not waited for. */
  function limitOf(endpoints: readonly PostingEndpoint[]): number {
    const rooms = endpoints.flatMap((endpoint) => (endpoint.ordered ? [] : (deliverer.roomOf(endpoint) ?? [])));
    return Math.max(LEAST_PAGE, Math.min(PAGE, ...rooms));
  }
}

function dropped(handed: { page: HandedPage }, error: unknown): never {
  handed.page.settle(false);
  throw error;
}
