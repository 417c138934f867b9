import { randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import { createWebhookStore, type StoredWork } from '../../src/actions/store-webhook.ts';
import { createMarker } from '../../src/channels/whatsapp/mark.ts';
import { readWebhook } from '../../src/channels/whatsapp/webhook.ts';
import type { Db } from '../../src/db/pool.ts';
import { type InstanceId, newId } from '../../src/domain/ids.ts';
import { createInbound, type Inbound, type InboundOptions } from '../../src/inbound/inbound-loop.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { createMetrics } from '../../src/runtime/metrics.ts';
import { beatInstance } from '../../src/store/lanes.write.ts';
import { type EngineWorld, RULES, type TenantWorld } from '../engine-world.ts';
import { until } from '../until.ts';

/** What tests of the receiving loop share. */
export const marker = createMarker(randomBytes(32));
export const logger = createLogger({
  log: { level: 'silent', format: 'json' },
  environment: 'development',
  service: { name: 'test' },
});

/** An instance that receives: its store of webhooks and its loop, which starts when it is told to. */
export async function createReceiver(world: EngineWorld, t: TestContext, options: Partial<InboundOptions> = {}) {
  const instance = newId<InstanceId>();
  const metrics = createMetrics({ version: 'test', node: false });
  await beatInstance(world.db, instance, 60_000, 'test');
  const inbound = createInbound({
    ...world,
    marker,
    readWebhook,
    clock: systemClock,
    metrics,
    logger,
    instance,
    rules: RULES,
    applyChanges: {},
    pollInterval: 50,
    ...options,
  });
  const stored: StoredWork[] = [];
  const { store } = createWebhookStore(world.db, instance, (work) => {
    stored.push(...work);
    inbound.add(work);
  });
  t.after(() => inbound.stop());
  return { instance, inbound, stored, metrics, store: (body: string) => store('default', Buffer.from(body)) };
}

/** Records of work that are not done. */
export async function pending(db: Db): Promise<number> {
  const text = 'select count(*) as n from inbound_work';
  return (await db.query<{ n: number }>({ name: 'test_pending', text }))[0]?.n ?? 0;
}

/** What is noted on webhooks, in their order. */
export async function troubles(db: Db): Promise<string[]> {
  const text = 'select error from raw_webhooks where error is not null order by id';
  return (await db.query<{ error: string }>({ name: 'test_troubles', text })).map((row) => row.error);
}

/** Resolves when all that was stored is applied. */
export function applied(db: Db, inbound: Inbound): Promise<void> {
  return until('all is applied', async () => inbound.backlog === 0 && (await pending(db)) === 0);
}

/** Lets the database refuse the text `poison` until the test is over: nothing in the shape gives it away. */
export async function poison(db: Db, t: TestContext): Promise<void> {
  await db.script(`alter table messages add constraint test_poison check (content ->> 'text' <> 'poison')`);
  t.after(() => db.script('alter table messages drop constraint test_poison'));
}

/** A customer's text, as the provider has it. */
export function text(body: unknown, more: object = {}): object {
  const timestamp = String(Math.floor(Date.now() / 1000));
  return { id: `wamid.${newId()}`, from: '16505551234', timestamp, type: 'text', text: { body }, ...more };
}

/** A webhook of many messages. */
export function manyMessages(own: TenantWorld, messages: readonly unknown[]): string {
  const value = { metadata: { phone_number_id: own.phoneNumberId }, messages };
  return JSON.stringify({ entry: [{ id: '1', changes: [{ field: 'messages', value }] }] });
}
