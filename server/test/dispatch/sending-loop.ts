import type { TestContext } from 'node:test';
import { createSettler } from '../../src/actions/settle-sends.ts';
import { createDispatcher } from '../../src/dispatch/dispatcher.ts';
import { type Gate, OPEN_GATE } from '../../src/dispatch/gate.ts';
import { createLaneRules } from '../../src/dispatch/lane-rules.ts';
import { createLease } from '../../src/dispatch/lease.ts';
import type { ProviderMedia } from '../../src/dispatch/provider-media.ts';
import { createSenders } from '../../src/dispatch/senders.ts';
import type { Channel, Channels, Prepared } from '../../src/domain/channel.ts';
import type { InstanceId, MessageId } from '../../src/domain/ids.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { PaceSettings } from '../../src/domain/schedule/pace.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { startAll } from '../../src/runtime/lifecycle.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { createMetrics } from '../../src/runtime/metrics.ts';
import { type EngineWorld, GRACE, RETRY, type TenantWorld } from '../engine-world.ts';

export interface Call {
  message: MessageId;
  attempt: number;
  stop: () => string | null;
  answer: (outcome: Outcome) => void;
}

/** A channel that keeps its calls until they are answered; `answer` answers each at once. It takes senders of every kind. */
export function heldChannel(t: TestContext, answer?: (call: Call) => Outcome) {
  const calls: Call[] = [];
  let over = false;
  // What a failed test left unanswered would hold up the stop.
  t.after(() => {
    over = true;
    for (const call of calls) call.answer({ kind: 'not_sent', detail: 'the test is over' });
  });
  const channel: Channel = {
    prepare: ({ message_id, attempt }) => ({ path: message_id, headers: {}, body: String(attempt) }),
    call: ({ path, body }: Prepared, stop) =>
      new Promise((resolve) => {
        if (over) return resolve({ kind: 'not_sent', detail: 'the test is over' });
        const call = { message: path as MessageId, attempt: Number(body), stop, answer: resolve };
        calls.push(call);
        if (answer) resolve(answer(call));
      }),
    close: () => Promise.resolve(),
  };
  return { channel, calls };
}

export const sentBy = ({ message, attempt }: Call): Outcome => ({ kind: 'sent', wamid: `wamid.${message}.${attempt}` });

export interface SendingOptions {
  lease?: number;
  maxInFlight?: number;
  /** The instance that sends; absent: the one that owns the tenant's lane. */
  instance?: InstanceId;
  /** Whether it ends all others when it starts. */
  alone?: boolean;
  pace?: PaceSettings;
  /** What every wait before a retry is drawn by, from 0 to 1. */
  random?: number;
  /** Another channel for webhooks than for numbers. */
  webhook?: Channel;
  /** What files are called at the provider; absent: there are none. */
  media?: ProviderMedia;
  /** Milliseconds until an attempt without an answer becomes doubtful. */
  grace?: number;
  /** Absent: nothing is paused. */
  gate?: Gate;
  /** Most attempts of a message; absent: as many as it takes. */
  maxAttempts?: number;
  senderInFlight?: number;
  tenantInFlight?: number;
}

const NO_MEDIA: ProviderMedia = {
  known: () => undefined,
  find: async () => ({ kind: 'not_sent', detail: 'there are no files in this test' }),
  forget: async () => {},
  stop: () => {},
};

const logger = createLogger({
  log: { level: 'silent', format: 'json' },
  environment: 'development',
  service: { name: 'test' },
});

/** The sending loop of an instance, over a channel. */
export function sendingLoop(
  t: TestContext,
  { db, signals }: EngineWorld,
  own: TenantWorld,
  channel: Channel,
  options: SendingOptions = {},
) {
  const { maxInFlight = 50, instance = own.claim.instance, alone = true } = options;
  const metrics = createMetrics({ version: 'test', node: false });
  const common = { db, signals, clock: systemClock, logger };
  let monotonic = () => performance.now();
  const clock = { now: () => Date.now(), monotonic: () => monotonic() };
  let reads = 0;
  const channels: Channels = { whatsapp: channel, webhook: options.webhook ?? channel };
  const settler = createSettler({
    db,
    signals,
    owner: () => lease.claim(),
    retry: RETRY,
    maxAttempts: options.maxAttempts ?? null,
    paused: (sender) => (options.gate ?? OPEN_GATE).until(sender) !== Number.NEGATIVE_INFINITY,
    validity: 86_400_000,
    slot: 0,
    random: () => options.random ?? 1,
  });
  const senders = createSenders({
    open({ tenant_id, id, ...row }) {
      if (row.channel === 'webhook')
        return { channel: 'webhook', tenant_id, id, url: 'http://hooks.example', header: 'x-api-key', key: null };
      const access_token = row.access_token_sealed.toString('hex');
      return { channel: 'whatsapp', tenant_id, id, phone_number_id: '1', access_token };
    },
    pace: options.pace ?? { per_minute: null, batch_size: null, processing_interval_ms: null },
  });
  const dispatcher = createDispatcher({
    ...common,
    clock,
    channels,
    media: options.media ?? NO_MEDIA,
    settler,
    metrics,
    lease: () => lease,
    senders: {
      ...senders,
      replace: (rows, now) => {
        reads++;
        return senders.replace(rows, now);
      },
    },
    gate: options.gate ?? OPEN_GATE,
    rules: createLaneRules({ db, signals, metrics, reserve: 0.1 }),
    maxInFlight,
    senderInFlight: options.senderInFlight ?? maxInFlight,
    tenantInFlight: options.tenantInFlight ?? maxInFlight,
    validity: 86_400_000,
    grace: options.grace ?? GRACE,
    pollInterval: 30,
    reportDoubtAfter: 60_000,
  });
  const lease = createLease({
    ...common,
    leases: common.db,
    clock,
    instance,
    lease: options.lease ?? 60_000,
    renewal: 20,
    grace: GRACE,
    description: 'test',
    alone,
    onHeld: (held) => dispatcher.onHeld(held),
    onLost: () => {},
    leave: (lanes) => dispatcher.leave(lanes),
    patience: 30_000,
  });
  t.after(async () => {
    await dispatcher.stop();
    await lease.stop();
  });
  return {
    dispatcher,
    lease,
    start: () => startAll([lease, dispatcher]),
    /** How often it has read its senders. */
    reads: () => reads,
    /** Moves the loop's clock. */
    skip: (milliseconds: number) => {
      const before = monotonic;
      monotonic = () => before() + milliseconds;
    },
  };
}
