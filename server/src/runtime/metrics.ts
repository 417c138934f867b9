import { collectDefaultMetrics } from 'prom-client';
import { createMeters } from './meters.ts';

/**
 * What the program counts of itself, for Prometheus. The names that bulk-service documents are kept; all others begin with
 * `aldis_`. docs/metrics.md is made from the texts here.
 */
export type Metrics = ReturnType<typeof createMetrics>;

/** Sets gauges that are read at each scrape rather than kept. */
type Collector = () => void | Promise<void>;

/** The longest that a scrape waits for one collector, in milliseconds. */
const SCRAPE_PATIENCE = 2000;

/**
 * Makes the metrics, in a registry of their own. `node` adds those of Node itself (memory, event loop, collections), which
 * keep an observer running.
 */
export function createMetrics({ version, node = true }: { version: string; node?: boolean }) {
  const { registry, described, counter, gauge, histogram } = createMeters();
  const collectors = new Map<string, Collector>();
  let rendering: Promise<string> | undefined;

  const meters = {
    // Documented by bulk-service.
    processed: counter(
      'message_service_processed_total',
      'Messages whose sending ended: the provider took or refused them.',
    ),
    processingDuration: histogram(
      'message_service_processing_duration_seconds',
      'From the begin of an attempt to its settled outcome.',
    ),
    activeBatches: gauge('message_service_active_batches', 'Batches that are being stored now.'),

    // The door.
    httpRequests: counter('aldis_http_requests_total', 'Requests answered.', 'method', 'route', 'status'),
    httpDuration: histogram('aldis_http_request_duration_seconds', 'From a request to its answer.', 'route'),
    accepted: counter('aldis_messages_accepted_total', 'Messages accepted, durably stored.', 'type'),

    // What waits.
    queueDepth: gauge(
      'aldis_queue_depth',
      'Messages in due work, by lane and state: queued, scheduled, held, sending, unconfirmed.',
      'lane',
      'state',
    ),
    queueOldest: gauge('aldis_queue_oldest_seconds', 'How long the oldest message that may leave has waited.', 'lane'),

    // Sending.
    inFlight: gauge('aldis_sends_in_flight', 'Calls to the provider under way.'),
    outcomes: counter(
      'aldis_send_outcomes_total',
      "What came of calls, by outcome and the provider's code, 0 without one.",
      'outcome',
      'code',
    ),
    callDuration: histogram(
      'aldis_send_call_duration_seconds',
      'From a call to the provider to its answer.',
      'outcome',
    ),
    acceptToSent: histogram(
      'aldis_accept_to_sent_seconds',
      'From the moment a message might leave (accepted, or due) to sent.',
    ),
    ended: counter(
      'aldis_messages_ended_total',
      'Messages that ended without leaving: cancelled, expired, failed.',
      'state',
    ),
    staleSettles: counter('aldis_stale_settles_total', 'Outcomes that came too late to settle their attempt.'),

    // Doubt.
    unconfirmed: gauge('aldis_unconfirmed', 'Messages of which nobody knows whether they left.'),
    doubtsOverdue: gauge(
      'aldis_unconfirmed_overdue',
      'Those among them in doubt for longer than engine.doubt_report_after.',
    ),
    doubts: counter('aldis_doubts_total', 'Doubts that ended, by what ended them: receipt, resend, tell.', 'decision'),

    // Lanes.
    lanesOwned: gauge('aldis_lanes_owned', 'Lanes that this instance owns.'),
    takeovers: counter('aldis_lane_takeovers_total', 'Lanes taken over.'),
    leaseLosses: counter('aldis_lease_losses_total', 'Leases that ended before they were renewed.'),

    // Receiving.
    webhooks: counter('aldis_webhooks_total', 'Webhooks, by result: stored, refused, unavailable.', 'result'),
    signatureFailures: counter('aldis_webhook_signature_failures_total', 'Webhooks without a right signature.'),
    inboundBacklog: gauge('aldis_inbound_backlog', 'Webhooks stored and not yet applied.'),
    receiptsApplied: counter('aldis_receipts_applied_total', 'Receipts that changed a message, by status.', 'status'),
    receiptsIgnored: counter(
      'aldis_receipts_ignored_total',
      'Receipts that changed nothing: repeated, late, forged.',
      'reason',
    ),
    receiptsParked: gauge('aldis_receipts_parked', 'Receipts whose message is not known yet.'),
    webhookItemsKept: counter(
      'aldis_webhook_items_kept_total',
      'Items of webhooks that were not applied and are kept raw: unreadable, no_sender, left_out, failed.',
      'reason',
    ),
    providerErrors: counter(
      'aldis_provider_errors_total',
      "Errors that the provider told of an account or number, by the provider's code.",
      'code',
    ),
    received: counter('aldis_messages_received_total', "Customers' messages, by type.", 'type'),

    // Files.
    mediaFetches: counter(
      'aldis_media_fetches_total',
      "Tries to fetch customers' files, by result: stored, later, failed.",
      'result',
    ),

    // Accounts.
    tokenExpires: gauge(
      'aldis_account_token_expires_seconds',
      'Seconds until the access token of an account expires, for the 50 that expire next. Those that never do are absent.',
      'account',
    ),

    // Events.
    eventLag: gauge('aldis_event_lag_seconds', 'Age of the oldest event that readers may not see yet.'),

    // The conversation service.
    conversationMessages: counter(
      'aldis_conversation_service_messages_total',
      'Sent messages handed to the conversation service: stored, skipped (it refused them several times).',
      'result',
    ),
    conversationLag: gauge(
      'aldis_conversation_service_lag_seconds',
      'Age of the oldest event that was not yet looked at for the conversation service.',
    ),

    // The database.
    databaseConnections: gauge(
      'aldis_database_connections',
      'Connections of the pool: total, idle; and who waits for one.',
      'state',
    ),
  };

  const scrapeErrors = counter(
    'aldis_scrape_errors_total',
    'Collectors that failed or took too long at a scrape.',
    'collector',
  );
  gauge('aldis_build_info', 'Always 1; the labels tell what runs.', 'version', 'node').set(1, {
    version,
    node: process.versions.node,
  });
  if (node) collectDefaultMetrics({ register: registry, prefix: 'aldis_' });

  async function scrape(): Promise<string> {
    await Promise.all(
      [...collectors].map(async ([name, collect]) => {
        const done = await within(SCRAPE_PATIENCE, collect);
        if (!done) scrapeErrors.add(1, { collector: name });
      }),
    );
    return registry.metrics();
  }

  return {
    ...meters,
    contentType: registry.contentType,
    /** Calls `collect` at each scrape. When it fails or takes over two seconds, its gauges keep their last values. */
    onScrape(name: string, collect: Collector): void {
      collectors.set(name, collect);
    },
    /** All metrics in the text format of Prometheus. Scrapes that come together share one answer. */
    render(): Promise<string> {
      rendering ??= scrape().finally(() => {
        rendering = undefined;
      });
      return rendering;
    },
    /** The metrics of ours, for the reference page. */
    described,
  };
}

async function within(ms: number, collect: Collector): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  const collected = (async () => collect())().then(
    () => true,
    () => false,
  );
  const done = await Promise.race([collected, late]);
  clearTimeout(timer);
  return done;
}
