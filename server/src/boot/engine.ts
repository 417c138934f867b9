import { createAccountChanges } from '../actions/account-changes.ts';
import { place } from '../actions/set-up.ts';
import { createSettler, type SentMessage } from '../actions/settle-sends.ts';
import { createWebhookStore, type WebhookStore } from '../actions/store-webhook.ts';
import { createTemplateChanges } from '../actions/template-changes.ts';
import { applyUserIdUpdates } from '../actions/user-id-updates.ts';
import { applyUserPreferences } from '../actions/user-preferences.ts';
import { webhookChannel } from '../channels/webhook/webhook-channel.ts';
import { createMarker } from '../channels/whatsapp/mark.ts';
import { readWebhook } from '../channels/whatsapp/webhook.ts';
import { whatsappChannel } from '../channels/whatsapp/whatsapp-channel.ts';
import type { Db } from '../db/pool.ts';
import { createDispatcher, type Dispatcher } from '../dispatch/dispatcher.ts';
import { createLaneRules } from '../dispatch/lane-rules.ts';
import { createLease, type Lease } from '../dispatch/lease.ts';
import { createPauses, type Pauses } from '../dispatch/pauses.ts';
import type { ProviderMedia } from '../dispatch/provider-media.ts';
import { createSenders } from '../dispatch/senders.ts';
import type { ApplyAccountChanges } from '../domain/account-change.ts';
import type { ChannelSender, Channels } from '../domain/channel.ts';
import type { InstanceId } from '../domain/ids.ts';
import { createInbound, type Inbound } from '../inbound/inbound-loop.ts';
import { guardedFetch } from '../net/guarded-fetch.ts';
import { providerClient } from '../net/provider-client.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Part } from '../runtime/lifecycle.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { Sealer } from '../runtime/sealer.ts';
import type { Config } from '../runtime/settings.ts';
import type { Signals } from '../signals/signals.ts';
import type { LaneSender } from '../store/lanes.read.ts';
import { buildConsent } from './consent.ts';
import { guardOf } from './user-urls.ts';

/** What every part is built from. */
export interface Common {
  db: Db;
  signals: Signals;
  clock: Clock;
  metrics: Metrics;
  logger: Logger;
  instance: InstanceId;
  /**
   * The first of the counters' rows (message_counts.slot) that this instance adds to. Instances that share one would only
   * get in each other's way.
   */
  slot: number;
}

export interface EngineOptions {
  /** A connection for leases alone. */
  leases: Db;
  sealer: Sealer;
  markKey: Buffer;
  /** This process is the only instance. */
  alone: boolean;
  /** Where the provider is. */
  apiUrl: string;
  /** What the provider calls our files. */
  media: ProviderMedia;
  description: string;
  /** Told of messages that became sent. */
  sent?: ((sent: readonly SentMessage[]) => void) | undefined;
}

/** The parts that send and receive. */
export interface Engine {
  lease: Lease;
  dispatcher: Dispatcher;
  /** What stands still. Starts before the lease, whose lanes it is told of. */
  pauses: Pauses;
  inbound: Inbound;
  webhooks: WebhookStore;
  /** Keeps what refusals tell of people. */
  providerStops: Part;
}

/** How long settling may take after the last call of a lane that is handed over, in milliseconds. */
const HAND_OVER_MARGIN = 5000;
/** To one webhook at one address. */
const MOST_CONNECTIONS = 16;

export function buildEngine(config: Config, common: Common, options: EngineOptions): Engine {
  const { db, signals, clock, instance, logger, metrics, slot } = common;
  const { sealer, markKey } = options;
  const { lease: leaseTime, lease_renewal, doubt_grace, backoff_base, backoff_cap, poll_interval } = config.engine;
  const retry = { base: backoff_base, cap: backoff_cap };
  const marker = createMarker(markKey);
  const whatsapp = whatsappChannel({
    client: providerClient({
      origin: options.apiUrl,
      connections: config.whatsapp.connections,
      timeout: config.whatsapp.request_timeout,
    }),
    marker,
    version: config.whatsapp.api_version,
  });
  const webhook = webhookChannel(
    guardedFetch({
      guard: guardOf(config),
      connections: MOST_CONNECTIONS,
      timeout: config.webhook_channel.request_timeout,
    }),
  );
  const channels: Channels = { whatsapp, webhook };
  const consent = buildConsent(config, common);
  const pauses = createPauses({ ...common, logger: logger.child({ part: 'pauses' }) });
  const settler = createSettler({
    db,
    signals,
    owner: () => lease.claim(),
    retry,
    maxAttempts: config.engine.max_attempts,
    validity: config.messages.validity,
    slot,
    refused: consent.stops.note,
    sent: options.sent,
    paused: (sender) => pauses.until(sender) !== Number.NEGATIVE_INFINITY,
  });
  const dispatcher = createDispatcher({
    ...common,
    channels,
    media: options.media,
    settler,
    lease: () => lease,
    senders: createSenders({
      open: (row) => openSender(row, config, sealer, logger),
      pace: {
        per_minute: config.limits.per_minute,
        batch_size: config.message_queue.batch_size,
        processing_interval_ms: config.message_queue.processing_interval,
      },
    }),
    gate: pauses,
    rules: createLaneRules({ db, signals, metrics, reserve: config.engine.messaging_reserve / 100 }),
    maxInFlight: config.whatsapp.max_in_flight,
    senderInFlight: config.engine.sender_in_flight,
    tenantInFlight: config.engine.tenant_in_flight,
    validity: config.messages.validity,
    grace: doubt_grace,
    pollInterval: poll_interval,
    reportDoubtAfter: config.engine.doubt_report_after,
  });
  const lease = createLease({
    db,
    leases: options.leases,
    clock,
    logger: logger.child({ part: 'lease' }),
    instance,
    lease: leaseTime,
    renewal: lease_renewal,
    grace: doubt_grace,
    description: options.description,
    alone: options.alone,
    onHeld: (held) => dispatcher.onHeld(held),
    onLost: () => metrics.leaseLosses.add(1),
    onClockStep: () => metrics.clockSteps.add(1),
    leave: (lanes) => dispatcher.leave(lanes),
    patience: Math.max(config.whatsapp.request_timeout, config.webhook_channel.request_timeout) + HAND_OVER_MARGIN,
  });
  const rules = {
    ...{ retry, maxAttempts: config.engine.max_attempts, validity: config.messages.validity, slot },
    refused: consent.stops.note,
  };
  // By the field of the webhook: what applies a change of an account.
  const applyChanges: Readonly<Record<string, ApplyAccountChanges>> = {
    ...createAccountChanges({ db, signals, logger: logger.child({ part: 'accounts' }) }),
    ...createTemplateChanges({ db, signals, logger: logger.child({ part: 'templates' }) }),
    user_preferences: applyUserPreferences({ db, signals }),
    user_id_update: applyUserIdUpdates({ db }),
  };
  const inbound = createInbound({
    ...{ ...common, marker, readWebhook, rules, applyChanges, pollInterval: poll_interval },
    ...(consent.afterReceive && { afterReceive: consent.afterReceive }),
  });
  const webhooks = createWebhookStore(db, instance, (work) => inbound.add(work));
  return { lease, dispatcher, pauses, inbound, webhooks, providerStops: consent.stops };
}

/** A sender as its channel takes it. One whose secret cannot be opened is left out, and the others send. */
function openSender(row: LaneSender, config: Config, sealer: Sealer, logger: Logger): ChannelSender | null {
  const { channel, tenant_id, id } = row;
  try {
    if (channel === 'whatsapp') {
      const access_token = sealer.open(row.access_token_sealed, place.accessToken(tenant_id, id));
      return { channel, tenant_id, id, phone_number_id: row.phone_number_id, access_token };
    }
    const sealed = row.webhook_key_sealed;
    return {
      channel,
      tenant_id,
      id,
      url: row.webhook_url,
      header: row.webhook_header ?? config.webhook_channel.header,
      key: sealed && sealer.open(sealed, place.webhookKey(tenant_id, id)),
    };
  } catch (error) {
    logger.error({ error, tenant_id, sender_id: id }, 'the secret of a sender cannot be opened: it sends nothing');
    return null;
  }
}
