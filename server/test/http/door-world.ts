import { createHmac } from 'node:crypto';
import { createAuthenticator } from '../../src/access/api-keys.ts';
import type { Identifier } from '../../src/access/identify.ts';
import { createSenderDirectory } from '../../src/access/sender-directory.ts';
import { createTemplateDirectory } from '../../src/access/template-directory.ts';
import { createBatchAcceptor } from '../../src/actions/accept-batch.ts';
import { createAcceptor } from '../../src/actions/accept-messages.ts';
import { createAccounts } from '../../src/actions/accounts.ts';
import { createApiKeys } from '../../src/actions/api-keys.ts';
import { createApps } from '../../src/actions/apps.ts';
import { cancelMessage, rescheduleMessage, retryMessage } from '../../src/actions/change-message.ts';
import { createContacts } from '../../src/actions/contacts.ts';
import { createExports } from '../../src/actions/exports.ts';
import { createCustomerReads } from '../../src/actions/mark-read.ts';
import { endPause } from '../../src/actions/pauses.ts';
import { recordMessage } from '../../src/actions/record-messages.ts';
import { createRedrives } from '../../src/actions/redrives.ts';
import { createReseal } from '../../src/actions/reseal.ts';
import { createSenders } from '../../src/actions/senders.ts';
import { createWebhookStore } from '../../src/actions/store-webhook.ts';
import { createTemplates } from '../../src/actions/templates.ts';
import { createTenants } from '../../src/actions/tenants.ts';
import { createTickets } from '../../src/actions/tickets.ts';
import { createDeliveries } from '../../src/actions/webhook-deliveries.ts';
import { createEndpoints } from '../../src/actions/webhook-endpoints.ts';
import { createReplays } from '../../src/actions/webhook-replays.ts';
import { buildIdentifier } from '../../src/boot/access.ts';
import { buildChat } from '../../src/boot/chat.ts';
import { objectionTo } from '../../src/boot/webhooks.ts';
import { createVerifier } from '../../src/channels/whatsapp/webhook-verifier.ts';
import { BatcherFull } from '../../src/db/batcher.ts';
import { isTransient } from '../../src/db/pool.ts';
import { hashApiKey, newApiKey, SCOPES, type Scope } from '../../src/domain/api-key.ts';
import { type InstanceId, type MessageId, newId, type TenantId } from '../../src/domain/ids.ts';
import { buildHttp } from '../../src/http/build-http.ts';
import type { HttpDeps } from '../../src/http/http-deps.ts';
import type { MessageObject } from '../../src/http/message-view.ts';
import type { Transport } from '../../src/http/transport.ts';
import type { HttpApp } from '../../src/http/typebox-provider.ts';
import { addressGuard } from '../../src/net/guarded-fetch-addresses.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createMetrics } from '../../src/runtime/metrics.ts';
import { createSealer } from '../../src/runtime/sealer.ts';
import { ALL_SETTINGS, type Config, frozenConfig } from '../../src/runtime/settings.ts';
import type { Signals } from '../../src/signals/signals.ts';
import { insertApiKey } from '../../src/store/set-up.write.ts';
import { type EngineWorld, engineWorld, type TenantWorld } from '../engine-world.ts';
import { type MediaWorld, type MediaWorldOptions, mediaWorld } from '../media-world.ts';

/** A door over a database of its own, listening: everything is real but the provider and the sending loop. */
export interface DoorWorld extends EngineWorld {
  url: string;
  app: HttpApp;
  /** Where its files lie. */
  media: MediaWorld;
  /** Who asks, as the door finds it out. */
  identifier: Identifier;
  /** The sentences that the door logged. */
  logged: string[];
  /** A tenant with a sender, and a key that may everything a customer may. */
  customer(): Promise<Customer>;
  /** How many wait for signals. */
  listeners(): number;
  keyFor(tenant: TenantId, scopes: readonly Scope[]): Promise<string>;
  /** Posts to the webhook route with a right signature, unless another is given. */
  webhook(body: string | Buffer, options?: { signature?: string | null; path?: string }): Promise<Response>;
}

export interface Customer extends TenantWorld {
  key: string;
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
}

export interface Answer {
  status: number;
  headers: Headers;
  body: Body;
}

/** What the tests look at in answers, of all kinds. Only what is there can be equal to what is expected. */
export interface Body {
  id: MessageId;
  state: string;
  status: string;
  error: string;
  code: string;
  message: string;
  request_id: string;
  details: { field?: string; variables?: string[]; limit?: number } | null;
  messages: (MessageObject & { id: MessageId; index: number })[];
  next_cursor: string;
  events: { id: string; type: string; time: string; cursor: string; prev: string; data: Record<string, unknown> }[];
  history: { step: string; at: string; outcome: string | null; attempt: number | null }[];
  errors: { index: number; error: string; code: string; message: string; field: string | null }[];
  batch_id: string;
  accepted: number;
  refused: number;
  by_state: Record<string, number>;
  [other: string]: unknown;
}

/** Seals what tests write as secrets, as the server would. */
export const SEALER = createSealer([{ version: 1, key: Buffer.alloc(32, 7) }]);
const DEFAULT_AUTH = frozenConfig(new Map(ALL_SETTINGS.map(({ key, setting }) => [key, setting.default]))).auth;
const APP_SECRET = 'an app secret';
export const VERIFY_TOKEN = 'a verify token';
const CUSTOMER: readonly Scope[] = SCOPES.filter((scope) => !['metrics:read', 'act_as', 'admin'].includes(scope));

export async function doorWorld(
  change: Partial<HttpDeps> = {},
  transport: Partial<Transport> = {},
  mediaOptions: MediaWorldOptions = {},
  settings: Partial<HttpDeps['settings']> = {},
  auth: Partial<Config['auth']> = {},
): Promise<DoorWorld> {
  const world = await engineWorld();
  const { db } = world;
  const media = await mediaWorld(db, mediaOptions);
  let listeners = 0;
  const signals: Signals = {
    ...world.signals,
    notify: (topic) => world.signals.notify(topic),
    listen(topic, listener) {
      const unlisten = world.signals.listen(topic, listener);
      listeners++;
      return () => {
        listeners--;
        unlisten();
      };
    },
  };
  const clock = systemClock;
  const keys = createAuthenticator({ db, clock });
  const tickets = createTickets({ db });
  const logged: string[] = [];
  const log = (_about: unknown, text?: string) => void logged.push(text ?? '');
  const configured = { auth: { ...DEFAULT_AUTH, ...auth } };
  const identifier = buildIdentifier(configured, { db, clock, logger: { warn: log } }, keys, tickets.redeem);
  const senders = createSenderDirectory({ db, clock });
  world.signals.listen('keys', keys.forget);
  world.signals.listen('senders', senders.forget);
  const templates = createTemplateDirectory({ db, clock });
  world.signals.listen('templates', templates.forget);
  const instance = newId<InstanceId>();
  const acceptor = createAcceptor({ db, signals, slot: 0 });
  const app = buildHttp({
    db,
    signals,
    clock,
    logger: { error: log, warn: log },
    metrics: createMetrics({ version: 'test', node: false }),
    settings: {
      body_limit: 64 * 1024,
      batch_body_limit: 4 * 1024 * 1024,
      webhook_body_limit: 64 * 1024,
      request_timeout: 5000,
      // Longer than any test: a connection that the door ends while `fetch` takes it up again is a failure of nothing that is tested.
      keep_alive_timeout: 60_000,
      send_timeout: 2000,
      metrics_public: false,
      transport: {
        tls: null,
        header_limit: 16_384,
        write_timeout: 5000,
        cors_origins: [],
        trusted_proxies: [],
        ...transport,
      },
      ...settings,
    },
    keys: identifier,
    tickets,
    senders,
    media: media.door,
    templates,
    manage: {
      tenants: createTenants({ db, signals }),
      senders: createSenders({ db, signals, sealer: SEALER }),
      templates: createTemplates({ db, signals }),
      keys: createApiKeys({ db, signals }),
      apps: createApps({ db, signals, sealer: SEALER }),
      accounts: createAccounts({ db, signals, sealer: SEALER }),
      pauses: { end: (tenant, id) => endPause(db, signals, tenant, id) },
      reseal: createReseal({ db, signals, sealer: SEALER }),
    },
    contacts: createContacts({ db, signals }),
    chat: buildChat({ db, signals }),
    exports: { actions: createExports({ db, signals, keep: 60_000 }), files: media.store },
    redrives: createRedrives({ db, signals }),
    webhooks: {
      endpoints: createEndpoints({ db, signals, sealer: SEALER }),
      deliveries: createDeliveries({ db, signals }),
      replays: createReplays({ db, signals }),
      objectionTo: (url) => objectionTo(addressGuard([]), url),
    },
    troubleOf: (error) => (error instanceof BatcherFull ? 'overloaded' : isTransient(error) ? 'unavailable' : null),
    health: () => ({
      status: 'healthy',
      service: 'test',
      version: '0',
      environment: 'test',
      metrics: { active_batches: 0, circuit_breaker_state: 'closed' },
      redis: 'off',
      kafka: 'off',
      pauses: { country: 0, sender: 0, account: 0, app: 0, provider: 0 },
    }),
    ready: async () => ({ ready: true, checks: { database: 'ok' } }),
    acceptMessage: (tenant, message, idempotency) => acceptor.accept(tenant, message, idempotency),
    acceptBatch: createBatchAcceptor({ db, signals, instance, slot: 0 }),
    cancelMessage: (tenant, id, idempotency) => cancelMessage(db, signals, tenant, id, idempotency),
    rescheduleMessage: (tenant, id, change, idempotency) =>
      rescheduleMessage(db, signals, tenant, id, change, idempotency),
    explaining: {
      pace: { per_minute: null, batch_size: null, processing_interval_ms: null },
      validity: 30 * 86_400_000,
    },
    retryMessage: (tenant, id, idempotency, acceptDuplicate) =>
      retryMessage(db, signals, tenant, id, idempotency, { acceptDuplicate }),
    ...createCustomerReads({ db, signals }),
    recordMessage: (tenant, conversation, said) => recordMessage(db, signals, tenant, conversation, said),
    storeWebhook: (name, body) => createWebhookStore(db, instance, () => {}).store(name, body),
    whatsapp: createVerifier((name) =>
      name === 'default' ? { appSecret: APP_SECRET, verifyToken: VERIFY_TOKEN } : undefined,
    ),
    ...change,
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });

  async function keyFor(tenant: TenantId, scopes: readonly Scope[]): Promise<string> {
    const key = newApiKey();
    await insertApiKey(db, tenant, { id: newId(), name: 'test', hash: hashApiKey(key), scopes });
    return key;
  }

  async function customer(): Promise<Customer> {
    const tenant = await world.tenant();
    const key = await keyFor(tenant.tenant, CUSTOMER);
    const ask = (path: string, init: RequestInit) => fetch(`${url}${path}`, init).then(answerOf);
    return {
      ...tenant,
      key,
      get: (path, headers) => ask(path, { headers: { authorization: `Bearer ${key}`, ...headers } }),
      post: (path, body, headers) =>
        ask(path, {
          method: 'POST',
          headers: {
            'x-api-key': key,
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
            ...headers,
          },
          ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
        }),
    };
  }

  return {
    ...world,
    url,
    app,
    media,
    identifier,
    logged,
    customer,
    listeners: () => listeners,
    keyFor,
    webhook(body, { signature, path = '/webhooks/whatsapp' } = {}) {
      const right = `sha256=${createHmac('sha256', APP_SECRET).update(body).digest('hex')}`;
      const header = signature === undefined ? right : signature;
      return fetch(`${url}${path}`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(header === null ? {} : { 'x-hub-signature-256': header }),
        },
        body: new Uint8Array(Buffer.from(body)),
      });
    },
    async close() {
      await app.close();
      await media.close();
      await world.close();
    },
  };
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: (text === '' ? {} : JSON.parse(text)) as Body };
}
