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
    chatMessages: counter(
      'aldis_chat_messages_total',
      'Messages between users, and notes in conversations with customers, durably stored.',
    ),

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
    staleWrites: counter(
      'aldis_stale_writes_total',
      'Other writes of sending that changed nothing, for the message was changed meanwhile or its lane has another owner: begin, put_off.',
      'write',
    ),

    pauses: gauge('aldis_pauses', 'Queues that stand still, by what they are of and why.', 'scope', 'cause'),

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
    clockSteps: counter('aldis_clock_steps_total', "Jumps of the database's clock by more than 5 s."),

    messagingLimit: gauge(
      'aldis_messaging_limit',
      'How many users the portfolios sent for here may write to first in 24 hours.',
      'portfolio',
    ),
    messagingLimitUsed: gauge(
      'aldis_messaging_limit_used',
      'How many of them have been, as it was read with the senders, every 5 seconds.',
      'portfolio',
    ),

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
    eventLag: gauge(
      'aldis_event_lag_seconds',
      'For how long a transaction that is open in the database has held events back.',
    ),

    consumerLag: gauge(
      'aldis_event_consumer_lag_seconds',
      'Age of the oldest event that a consumer has not read: conversation_service, kafka, offline, webhooks.',
      'consumer',
    ),
    offlineSkipped: counter(
      'aldis_offline_messages_skipped_total',
      'Messages of which no user who was away was told, for it was looked too late (`offline.max_age`).',
    ),
    kafkaPublish: histogram('aldis_kafka_publish_seconds', 'From events to the answer of Kafka that has them.'),
    kafkaEvents: counter(
      'aldis_kafka_events_total',
      'Events handed to Kafka: published, skipped (it takes none of that size).',
      'result',
    ),
    kafkaErrors: counter('aldis_kafka_errors_total', 'Tries to publish events that Kafka did not take.'),

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

    // Sockets.
    sockets: gauge('aldis_sockets', 'WebSockets that are open here.'),
    socketFrames: counter(
      'aldis_socket_frames_total',
      'Frames of WebSockets: in (from clients) or out, by type. What was refused for coming too fast is refused, what could not be read invalid.',
      'direction',
      'type',
    ),
    socketCloses: counter(
      'aldis_socket_closes_total',
      'WebSockets that ended, by how: the names of docs/websocket.md, or the code of the protocol.',
      'code',
    ),
    eventDelivery: histogram(
      'aldis_event_delivery_seconds',
      'From an event to its frames, for each that went to a WebSocket here.',
    ),

    // Between instances.
    signalNotices: counter(
      'aldis_signals_notices_total',
      'Notices of changes that went to other instances, or came from them, each of many changes; by the bus: redis, postgres.',
      'bus',
      'direction',
    ),
    signalGaps: counter(
      'aldis_signals_gaps_total',
      'Times when notices of other instances may have been missed, and everything was looked at once.',
    ),
    signalWordsLost: counter(
      'aldis_signals_words_lost_total',
      'Typing and presence that other instances were not told of, for nothing carried it or it was too much.',
    ),
    redisUp: gauge('aldis_redis_up', 'Whether Redis is there: 1 or 0. Without Redis in the configuration it is 0.'),

    // Customers' webhooks.
    webhookDeliveries: counter(
      'aldis_webhook_deliveries_total',
      "Tries to post events to customers' webhooks, by result: delivered, again (it is tried later), failed.",
      'result',
    ),
    webhookDelivery: histogram(
      'aldis_webhook_delivery_seconds',
      "From an event to its delivery to a customer's webhook.",
    ),
    webhookPending: gauge(
      'aldis_webhook_deliveries_pending',
      "Deliveries to customers' webhooks that are to be made, counted up to 100,000. Those that wait in line are not counted.",
    ),
    webhookEndpoints: gauge(
      'aldis_webhook_endpoints',
      "Customers' webhook endpoints in trouble, by state: failing, and disabled for it.",
      'state',
    ),

    // The database.
    databaseConnections: gauge(
      'aldis_database_connections',
      'Connections of the pool: total, idle; and who waits for one.',
      'state',
    ),
    queryDuration: histogram(
      'aldis_database_query_seconds',
      'From a statement to its answer: for those outside of transactions with the wait for a connection. A commit counts as one.',
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
