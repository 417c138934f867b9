import type { TestContext } from 'node:test';
import { createDeliveries, recordTries, WEBHOOKS } from '../../src/actions/webhook-deliveries.ts';
import { createEndpoints } from '../../src/actions/webhook-endpoints.ts';
import { createReplays } from '../../src/actions/webhook-replays.ts';
import { createBatcher } from '../../src/db/batcher.ts';
import { type EndpointId, type InstanceId, newId, type TenantId } from '../../src/domain/ids.ts';
import { createFollower } from '../../src/fanout/follower.ts';
import { createDeliverer, type Settled } from '../../src/fanout/webhooks/deliverer.ts';
import { createWebhookKeeper } from '../../src/fanout/webhooks/keep.ts';
import { createMaker } from '../../src/fanout/webhooks/maker.ts';
import { createPoster } from '../../src/fanout/webhooks/poster.ts';
import { guardedFetch } from '../../src/net/guarded-fetch.ts';
import { addressGuard } from '../../src/net/guarded-fetch-addresses.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import type { Part } from '../../src/runtime/lifecycle.ts';
import { createMetrics } from '../../src/runtime/metrics.ts';
import { createSealer } from '../../src/runtime/sealer.ts';
import { type DeliveryRecord, listDeliveries } from '../../src/store/webhook-deliveries.read.ts';
import { type EndpointRecord, type EndpointValues, findEndpoint } from '../../src/store/webhook-endpoints.read.ts';
import { type EngineWorld, engineWorld, type TenantWorld } from '../engine-world.ts';
import { logReadable } from '../readable-log.ts';
import { until } from '../until.ts';
import { type Sink, sink } from './sink.ts';

/** What makes and posts deliveries, with real endpoints to post to. */
export interface WebhookWorld extends EngineWorld {
  /** What was logged. */
  logged: { about: Record<string, unknown>; text: string }[];
  /** An endpoint of a tenant. */
  endpoint(
    tenant: TenantWorld,
    url: string,
    values?: Partial<EndpointValues>,
  ): Promise<{ id: EndpointId; secret: string }>;
  endpoints: ReturnType<typeof createEndpoints>;
  deliveries: ReturnType<typeof createDeliveries>;
  replays: ReturnType<typeof createReplays>;
  sink(port?: number): Promise<Sink>;
  /** Starts an instance that makes and posts deliveries. */
  start(options?: Partial<InstanceOptions>): Promise<Part>;
  /** Resolves when all of a tenant's log became deliveries. */
  allMade(tenant: TenantWorld): Promise<void>;
  listed(tenant: TenantWorld, endpoint: EndpointId): Promise<DeliveryRecord[]>;
  found(tenant: TenantWorld, endpoint: EndpointId): Promise<EndpointRecord>;
  /** Lets all that waits for another try be tried now. */
  makeDue(): Promise<void>;
}

interface InstanceOptions {
  /** Networks that may be called. */
  allowed: readonly string[];
  hold: number;
  timeout: number;
  disableAfter: number;
  /** Milliseconds between two looks of who follows the log and of who posts. */
  pollInterval: number | null;
}

const SEALER = createSealer([{ version: 1, key: Buffer.alloc(32, 7) }]);
const DAY = 86_400_000;

/** The parts that an instance has. @param db may be of another process. */
export function webhookParts(
  { db, signals }: Pick<EngineWorld, 'db' | 'signals'>,
  logger: Parameters<typeof createDeliverer>[0]['logger'],
  options: Partial<InstanceOptions> = {},
): Part[] {
  const { allowed = ['127.0.0.0/8'], hold = 30_000, timeout = 2000, disableAfter = 5 * DAY } = options;
  const { pollInterval = null } = options;
  const client = guardedFetch({ guard: addressGuard(allowed), connections: 100, timeout });
  const settler = createBatcher<Settled, void>({
    max: 200,
    parallel: 2,
    limit: 10_000,
    run: async (settled) => {
      await recordTries(db, settled);
      return settled.map(() => undefined);
    },
  });
  const instance = newId<InstanceId>();
  const common = { db, signals, clock: systemClock, logger };
  const deliverer = createDeliverer({
    ...common,
    poster: createPoster({ client, sealer: SEALER, clock: systemClock }),
    metrics: createMetrics({ version: 'test', node: false }),
    pollInterval: pollInterval ?? 50,
    hold,
    timeout,
    disableAfter,
    settle: settler.add,
  });
  const lease = 20_000;
  return [
    deliverer,
    createFollower({
      ...common,
      instance,
      consumer: WEBHOOKS,
      alone: false,
      adopts: false,
      together: 8,
      pollInterval: pollInterval ?? 20,
      lease,
      pass: createMaker({ db, signals, clock: systemClock, instance, deliverer, lease, hold }),
      failed: (error) => logger.warn({ error }, 'deliveries could not be made'),
    }),
    createWebhookKeeper({ ...common, retention: 30 * DAY, pollInterval: 50 }),
  ];
}

export async function webhookWorld(t: TestContext): Promise<WebhookWorld> {
  const world = await engineWorld();
  const { db, signals } = world;
  const logged: WebhookWorld['logged'] = [];
  const log = (about: object, text = '') => void logged.push({ about: { ...about }, text });
  const endings: (() => Promise<void>)[] = [];
  t.after(async () => {
    for (const end of endings.toReversed()) await end();
    await world.close();
  });
  const endpoints = createEndpoints({ db, signals, sealer: SEALER });
  return {
    ...world,
    logged,
    endpoints,
    deliveries: createDeliveries({ db, signals }),
    replays: createReplays({ db, signals }),
    async endpoint(tenant, url, values = {}) {
      // It begins at the end of what can be read: what was written before must lie before that.
      await logReadable(db);
      const made = await endpoints.create(tenant.tenant, {
        url,
        description: null,
        enabled: true,
        event_types: null,
        sender_ids: null,
        conversation_ids: null,
        ordered: false,
        ...values,
      });
      if (made === 'full') throw new Error('full');
      return { id: made.endpoint.id, secret: made.secret };
    },
    async sink(port) {
      const one = await sink(port);
      endings.push(one.close);
      return one;
    },
    async start(options) {
      const parts = webhookParts(world, { error: log, warn: log, info: log }, options);
      const stop = async () => {
        for (const part of parts.toReversed()) await part.stop();
      };
      for (const part of parts) await part.start();
      endings.push(stop);
      return { name: 'instance', start: async () => {}, stop };
    },
    allMade: ({ tenant }) =>
      until('all is made', async () => {
        const [row] = await db.query<{ yes: boolean }>(
          {
            name: 'test_all_made',
            text: `select not exists (select from events e join event_consumers c on c.tenant_id = e.tenant_id
              and c.consumer = $2 where e.tenant_id = $1 and (e.xid, e.id) > (c.xid, c.event_id)) as yes`,
          },
          [tenant, WEBHOOKS],
        );
        return row?.yes === true;
      }),
    listed: async ({ tenant }, endpoint) => (await listDeliveries(db, tenant, endpoint, {}, null, 10_000)).rows,
    async found({ tenant }, endpoint) {
      const row = await findEndpoint(db, tenant, endpoint);
      if (row === null) throw new Error('no such endpoint');
      return row;
    },
    async makeDue() {
      await db.script(`update webhook_deliveries set due_at = now() where due_at is not null`);
      signals.notify('webhooks');
    },
  };
}

/** A tenant's events, in the log's order. */
export async function logOf({ db }: EngineWorld, tenant: TenantId): Promise<{ id: string; type: string }[]> {
  return db.query<{ id: string; type: string }>(
    { name: 'test_log', text: 'select id, type from events where tenant_id = $1 order by xid, id' },
    [tenant],
  );
}
