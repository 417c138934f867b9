import type { Identifier } from '../access/identify.ts';
import type { Quota } from '../access/quota.ts';
import type { SenderDirectory } from '../access/sender-directory.ts';
import type { TemplateDirectory } from '../access/template-directory.ts';
import type { Accepted, AcceptedBatch, BatchItem, Idempotency } from '../actions/accepted.ts';
import type { AccountActions } from '../actions/accounts.ts';
import type { ApiKeyActions } from '../actions/api-keys.ts';
import type { AppActions } from '../actions/apps.ts';
import type { Rescheduled } from '../actions/change-message.ts';
import type { ChatActions } from '../actions/chat.ts';
import type { ContactActions } from '../actions/contacts.ts';
import type { ExportActions } from '../actions/exports.ts';
import type { MediaActions } from '../actions/media.ts';
import type { EndedByPerson } from '../actions/pauses.ts';
import type { RedriveActions } from '../actions/redrives.ts';
import type { Resealed } from '../actions/reseal.ts';
import type { SenderActions } from '../actions/senders.ts';
import type { TemplateActions } from '../actions/templates.ts';
import type { TenantActions } from '../actions/tenants.ts';
import type { TicketActions } from '../actions/tickets.ts';
import type { DeliveryActions } from '../actions/webhook-deliveries.ts';
import type { EndpointActions } from '../actions/webhook-endpoints.ts';
import type { ReplayActions } from '../actions/webhook-replays.ts';
import type { Queryable } from '../db/pool.ts';
import type { RetryRefusal } from '../domain/dead-letters.ts';
import type { ExplainSettings } from '../domain/explanation.ts';
import type { MessageId, TenantId } from '../domain/ids.ts';
import type { MediaFiles } from '../domain/media-files.ts';
import type { MediaLinks } from '../domain/media-link.ts';
import type { NewMessage, RecordedContent } from '../domain/message.ts';
import type { TimesChange } from '../domain/message-times.ts';
import type { ObjectStore } from '../domain/object-store.ts';
import type { PauseScope } from '../domain/provider-errors.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { Signals } from '../signals/signals.ts';
import type { ConversationRow } from '../store/contacts.read.ts';
import type { SocketTaker, Transport } from './transport.ts';

/** Settings of the door. Bytes and milliseconds. */
export interface HttpSettings {
  body_limit: number;
  batch_body_limit: number;
  webhook_body_limit: number;
  /** How long a request may take to arrive whole. */
  request_timeout: number;
  keep_alive_timeout: number;
  /** How long a synchronous send waits for its message. */
  send_timeout: number;
  /** Whether `/metrics` needs no key. */
  metrics_public: boolean;
  transport: Transport;
}

/** What the process says of itself. It answers while it lives, so nothing here may wait. */
export interface Health {
  status: 'healthy' | 'degraded';
  service: string;
  version: string;
  environment: string;
  metrics: { active_batches: number; circuit_breaker_state: 'closed' | 'half_open' | 'open' };
  /** How many queues stand still, by what they are of. */
  pauses: Readonly<Record<PauseScope, number>>;
  /** Whether Redis is there. While it is away, everything works, some of it later. */
  redis: 'off' | 'ok' | 'away';
  /** The same of Kafka. While its brokers take nothing from here, events wait in the log. */
  kafka: 'off' | 'ok' | 'away';
}

/** Whether requests should come here now: what is checked, and why it is not ready. */
export interface Readiness {
  ready: boolean;
  checks: Record<string, string>;
}

/** The provider's side of its webhooks: by contract, so that this room knows no channel. */
export interface WebhookVerifier {
  /** Judges a body by the signature header as it came, in constant time and before anything reads the body. */
  verify(app: string, body: Buffer, signature: string | undefined): SignatureVerdict | Promise<SignatureVerdict>;
  /** The answer to the provider's question whether this address is ours, or null when it asks wrongly. */
  challenge(app: string, query: Readonly<Record<string, string>>): string | null | Promise<string | null>;
}
export type SignatureVerdict = 'valid' | 'invalid' | 'unknown_app';

/** Tenants' files. Where they lie and how URLs are fetched is known by contract only. */
export interface MediaDoor {
  files: MediaFiles;
  actions: MediaActions;
  links: MediaLinks;
  /** How long an upload may take to arrive whole, in milliseconds. */
  uploadTimeout: number;
  /** How long a link works, in milliseconds. */
  linkLifetime: number;
  /** Where links lead; null: to where the request came. */
  publicUrl: string | null;
  /** Begins to read a file from a URL that a user gave. @throws {AldisError} why not. */
  fetchUrl(url: string): Promise<{ bytes: AsyncIterable<Uint8Array>; filename: string | null }>;
}

/** Where tenants have events posted, and what was posted there. */
export interface WebhookDoor {
  endpoints: EndpointActions;
  deliveries: DeliveryActions;
  replays: ReplayActions;
  /** Why an address that a URL names outright may not be called; null: it may. */
  objectionTo(url: URL): string | null;
}

/** Everything the door needs; main.ts hands it in. */
export interface HttpDeps {
  db: Queryable;
  signals: Signals;
  clock: Clock;
  logger: Pick<Logger, 'error' | 'warn'>;
  metrics: Pick<Metrics, 'render' | 'contentType' | 'httpRequests' | 'httpDuration' | 'webhooks' | 'signatureFailures'>;
  settings: HttpSettings;
  /** Who asks. */
  keys: Pick<Identifier, 'identify'>;
  senders: SenderDirectory;
  templates: TemplateDirectory;
  media: MediaDoor;
  /** What an operator changes. */
  manage: {
    tenants: TenantActions;
    senders: SenderActions;
    templates: TemplateActions;
    keys: ApiKeyActions;
    apps: AppActions;
    /** A tenant's own keys change these too. */
    accounts: AccountActions;
    pauses: { end(tenant: TenantId | null, id: string): Promise<EndedByPerson> };
    /** Seals every stored secret with the newest key. */
    reseal(): Promise<Resealed>;
  };
  /** What an unexpected error means for the client: nobody's fault and soon over, too much at once, or our mistake. */
  troubleOf(error: unknown): 'unavailable' | 'overloaded' | 'storage_full' | null;
  health(): Health;
  ready(): Promise<Readiness>;
  contacts: ContactActions;
  /** Conversations, and what is said in them. */
  chat: ChatActions;
  tickets: Pick<TicketActions, 'issue'>;
  /** Lists that are written to files, and where these lie. */
  exports: { actions: ExportActions; files: Pick<ObjectStore, 'get'> };
  /** Failed messages, sent again by filter. */
  redrives: RedriveActions;
  webhooks: WebhookDoor;
  /** Asked before each accept; absent: nobody is. */
  quota?: Quota | null;
  acceptMessage(tenant: TenantId, message: NewMessage, idempotency: Idempotency | null): Promise<Accepted>;
  acceptBatch(tenant: TenantId, items: readonly BatchItem[], idempotency: Idempotency | null): Promise<AcceptedBatch>;
  cancelMessage(
    tenant: TenantId,
    id: MessageId,
    idempotency: Idempotency | null,
  ): Promise<'cancelled' | 'not_found' | 'too_late' | 'mismatch'>;
  rescheduleMessage(
    tenant: TenantId,
    id: MessageId,
    change: TimesChange,
    idempotency: Idempotency | null,
  ): Promise<Rescheduled>;
  /** What the configuration says of messages that wait. */
  explaining: ExplainSettings;
  retryMessage(
    tenant: TenantId,
    id: MessageId,
    idempotency: Idempotency | null,
    acceptDuplicate: boolean,
  ): Promise<'queued' | 'not_found' | 'mismatch' | RetryRefusal>;
  markRead(tenant: TenantId, id: MessageId): Promise<'read' | 'not_found' | 'outbound'>;
  showTyping(tenant: TenantId, id: MessageId): Promise<'read' | 'not_found' | 'outbound'>;
  /** Records a message that was sent elsewhere; `fresh` false: it was known. */
  recordMessage(
    tenant: TenantId,
    conversation: ConversationRow,
    said: RecordedContent,
  ): Promise<{ id: MessageId; fresh: boolean }>;
  /** Resolves when the webhook is durable. */
  storeWebhook(app: string, body: Buffer): Promise<void>;
  whatsapp: WebhookVerifier;
  /** Who takes requests for a WebSocket; absent: they are answered as if they had not asked for one. */
  sockets?: SocketTaker;
}
