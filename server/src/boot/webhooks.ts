import { createDeliveries, recordTries, WEBHOOKS } from '../actions/webhook-deliveries.ts';
import { createEndpoints } from '../actions/webhook-endpoints.ts';
import { createReplays } from '../actions/webhook-replays.ts';
import { createBatcher } from '../db/batcher.ts';
import { createFollower } from '../fanout/follower.ts';
import { createDeliverer, type Settled } from '../fanout/webhooks/deliverer.ts';
import { createWebhookKeeper } from '../fanout/webhooks/keep.ts';
import { createMaker } from '../fanout/webhooks/maker.ts';
import { createPoster } from '../fanout/webhooks/poster.ts';
import type { WebhookDoor } from '../http/http-deps.ts';
import { guardedFetch } from '../net/guarded-fetch.ts';
import { type AddressGuard, addressGuard } from '../net/guarded-fetch-addresses.ts';
import { type Part, part } from '../runtime/lifecycle.ts';
import type { Sealer } from '../runtime/sealer.ts';
import type { Config } from '../runtime/settings.ts';
import { countPending } from '../store/webhook-deliveries.read.ts';
import { countTroubledEndpoints } from '../store/webhook-endpoints.read.ts';
import type { Common } from './engine.ts';
import { guardOf } from './user-urls.ts';

/** Customers' webhooks: what the door needs, and the parts that make deliveries and post them. */
export interface Webhooks {
  door: WebhookDoor;
  parts: Part[];
}

/** Milliseconds. The lease of a tenant's log; what a delivery is held beside the time of a call, which may wait for its turn. */
const LEASE = 5000;
const HOLD = 10_000;
const LONGEST_POLL = 250;
/** To one endpoint at one address. */
const CONNECTIONS = 100;
/** Bytes of an answer that are read. */
const LONGEST_ANSWER = 64 << 10;
/** More than that many pending deliveries are not counted for metrics. */
const MOST_COUNTED = 100_000;
const TENANTS_TOGETHER = 8;

/** @param alone this process is the only instance. */
export function buildWebhooks(
  config: Config,
  common: Common,
  { sealer, alone }: { sealer: Sealer; alone: boolean },
): Webhooks {
  const { db, signals, clock, instance, metrics } = common;
  const { timeout, disable_after, retention, allow_private } = config.webhooks_out;
  const guard = allow_private ? addressGuard(['0.0.0.0/0', '::/0']) : guardOf(config);
  const logger = common.logger.child({ part: 'webhooks' });
  const pollInterval = Math.min(config.engine.poll_interval, LONGEST_POLL);
  const client = guardedFetch({ guard, connections: CONNECTIONS, timeout, longestBody: LONGEST_ANSWER });
  const settler = createBatcher<Settled, void>({
    max: 250,
    parallel: 2,
    limit: 10_000,
    gather: 5,
    run: async (settled) => {
      await recordTries(db, settled);
      return settled.map(() => undefined);
    },
  });
  metrics.onScrape('webhooks', async () => {
    metrics.webhookPending.set(await countPending(db, MOST_COUNTED));
    const { disabled, failing } = await countTroubledEndpoints(db);
    metrics.webhookEndpoints.set(disabled, { state: 'disabled' });
    metrics.webhookEndpoints.set(failing, { state: 'failing' });
  });
  const deliverer = createDeliverer({
    db,
    signals,
    poster: createPoster({ client, sealer, clock }),
    clock,
    logger,
    metrics,
    pollInterval,
    hold: timeout + HOLD,
    timeout,
    disableAfter: disable_after,
    settle: settler.add,
  });
  const follower = createFollower({
    db,
    signals,
    clock,
    instance,
    consumer: WEBHOOKS,
    alone,
    adopts: false,
    together: TENANTS_TOGETHER,
    pollInterval,
    lease: LEASE,
    pass: createMaker({ db, signals, clock, instance, deliverer, lease: LEASE, hold: timeout + HOLD }),
    failed: (error) => logger.warn({ error }, 'webhook deliveries could not be made'),
  });
  const connections = part(
    'webhook connections',
    async () => {},
    async () => {
      await settler.idle();
      // What is still under way ends with the process: it is told once more.
      void client.close();
    },
  );
  return {
    door: {
      endpoints: createEndpoints({ db, signals, sealer }),
      deliveries: createDeliveries({ db, signals }),
      replays: createReplays({ db, signals }),
      objectionTo: (url) => objectionTo(guard, url),
    },
    parts: [
      connections,
      deliverer,
      follower,
      createWebhookKeeper({ db, signals, clock, logger, retention, pollInterval: 2 * LONGEST_POLL }),
    ],
  };
}

/** Why an address that a URL names outright will never be called; null: it may be, or a name has to be looked up. */
export function objectionTo(guard: AddressGuard, url: URL): string | null {
  const host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
  if (guard.trusts(host)) return null;
  if (host === 'localhost' || host.endsWith('.localhost'))
    return guard.objection('127.0.0.1') && `names this machine; ${ALLOWED_BY}`;
  const why = guard.objection(host);
  return why === null || why === 'no address'
    ? null
    : `names an address that may not be called (${why}); ${ALLOWED_BY}`;
}

const ALLOWED_BY =
  'the operator may allow some such by the setting outgoing.allowed_networks, or all by webhooks_out.allow_private';
