import { createAuthenticator } from '../access/api-keys.ts';
import { createAppDirectory } from '../access/app-secrets.ts';
import { createSenderDirectory } from '../access/sender-directory.ts';
import { createTemplateDirectory } from '../access/template-directory.ts';
import { createBatchAcceptor } from '../actions/accept-batch.ts';
import { createAcceptor } from '../actions/accept-messages.ts';
import { createAccounts } from '../actions/accounts.ts';
import { createApiKeys } from '../actions/api-keys.ts';
import { createApps, openApp } from '../actions/apps.ts';
import { cancelMessage, rescheduleMessage, retryMessage } from '../actions/change-message.ts';
import { createContacts } from '../actions/contacts.ts';
import { createCustomerReads } from '../actions/mark-read.ts';
import { endPause } from '../actions/pauses.ts';
import { recordMessage } from '../actions/record-messages.ts';
import { createReseal } from '../actions/reseal.ts';
import { createSenders } from '../actions/senders.ts';
import { createTemplates } from '../actions/templates.ts';
import { createTenants } from '../actions/tenants.ts';
import { createTickets } from '../actions/tickets.ts';
import { createVerifier } from '../channels/whatsapp/webhook-verifier.ts';
import { BatcherFull } from '../db/batcher.ts';
import { isDiskFull, isTransient } from '../db/pool.ts';
import { buildHttp } from '../http/build-http.ts';
import type { Health, HttpDeps, MediaDoor, Readiness } from '../http/http-deps.ts';
import { gateAccepting } from '../http/quota-gate.ts';
import { createSay, type Say } from '../http/say-in-conversation.ts';
import { createShowCustomer } from '../http/show-customer.ts';
import { readTls, renewTls } from '../http/tls.ts';
import { createKeyUses } from '../jobs/key-uses.ts';
import { type Part, part } from '../runtime/lifecycle.ts';
import type { Sealer } from '../runtime/sealer.ts';
import type { Config } from '../runtime/settings.ts';
import { StartError } from '../runtime/start-error.ts';
import { version } from '../version.ts';
import { buildIdentifier } from './access.ts';
import { createDatabaseCheck } from './database-check.ts';
import type { Common, Engine } from './engine.ts';
import type { Shared } from './signals.ts';
import { buildSockets } from './sockets.ts';
import { buildTenantService } from './tenant-service.ts';

export interface DoorOptions {
  engine: Engine;
  media: MediaDoor;
  exports: HttpDeps['exports'];
  redrives: HttpDeps['redrives'];
  webhooks: HttpDeps['webhooks'];
  chat: HttpDeps['chat'];
  sealer: Sealer;
  /** Throws when the disk is nearly full. */
  ensureSpace: () => Promise<void>;
  /** What is shared with other instances. */
  shared: Pick<Shared, 'shareRate' | 'redis'>;
  /** How Kafka is: null: there is none; `ok`, or what is wrong. */
  kafka: () => string | null;
}

/** The HTTP server as a part. */
export interface Door extends Part {
  /** Where it listens: http://HOST:PORT (https: with a certificate), once it is started. */
  url(): string;
  /** Says something in a conversation, as its requests do: for other doors. */
  say: Say;
}

const SPACE_EVERY = 1000;
/** Connections that wait to be taken: when an instance dies, all sockets of it come to the others at once. */
const BACKLOG = 4096;

export function buildDoor(
  config: Config,
  common: Common,
  { engine, media, exports, redrives, webhooks, chat, sealer, ensureSpace, shared, kafka }: DoorOptions,
): Door {
  const { db, signals, clock, metrics, logger, instance, slot } = common;
  const acceptor = createAcceptor({ db, signals, slot });
  const acceptBatch = createBatchAcceptor({ db, signals, instance, slot });
  let activeBatches = 0;
  let full: Error | null = null;
  let spaceTimer: NodeJS.Timeout | undefined;
  let url = '';

  const health = (): Health => ({
    status: engine.dispatcher.healthy && !full && isWell(shared.redis()) && isWell(kafka()) ? 'healthy' : 'degraded',
    service: config.service.name,
    version,
    environment: config.environment,
    metrics: { active_batches: activeBatches, circuit_breaker_state: engine.pauses.summary.breaker },
    pauses: engine.pauses.summary.byScope,
    redis: wordOf(shared.redis()),
    kafka: wordOf(kafka()),
  });
  const databaseCheck = createDatabaseCheck(db, logger);
  const customerReads = createCustomerReads({ db, signals });
  const ready = async (): Promise<Readiness> => {
    const besides = Object.entries({ redis: shared.redis(), kafka: kafka() }).filter(([, state]) => state !== null);
    const database = await databaseCheck();
    const dispatch = engine.dispatcher.healthy ? 'ok' : 'the lease is not held';
    return {
      ready: database === 'ok' && dispatch === 'ok' && !full,
      // Without Redis or Kafka everything works, some of it later: no reason to send requests elsewhere.
      checks: { database, dispatch, disk: full?.message ?? 'ok', ...Object.fromEntries(besides) },
    };
  };
  let isLooking = false;
  const checkSpace = async () => {
    if (isLooking) return;
    isLooking = true;
    full = await ensureSpace().then(
      () => null,
      (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
    );
    isLooking = false;
  };
  const refuseWhenFull = () => {
    if (full) throw full;
  };

  const keys = createAuthenticator({ db, clock, rate: config.limits, shareRate: shared.shareRate });
  const limits = { monthly: config.limits.monthly_quota, daily: config.limits.per_day };
  const ownSenders = createSenderDirectory({ db, clock, limits });
  const asking = buildTenantService(config, { ...common, sealer, senders: ownSenders });
  const senders = asking?.senders ?? ownSenders;
  const tickets = createTickets({ db });
  const identifier = buildIdentifier(config, common, keys, tickets.redeem);
  const keyUses = createKeyUses({ db, logger, takeUsed: keys.takeUsed });
  signals.listen('keys', keys.forget);
  signals.listen('senders', senders.forget);
  const apps = createAppDirectory({
    db,
    clock,
    open: (row) => openApp(sealer, row),
    failed: (app, error) =>
      logger.error({ error, app }, 'the secrets of an app cannot be opened: it takes no webhooks'),
  });
  signals.listen('apps', apps.forget);
  const templates = createTemplateDirectory({ db, clock });
  signals.listen('templates', templates.forget);

  const { cert_file, key_file } = config.server.tls;
  const tls = cert_file !== null && key_file !== null ? { cert_file, key_file } : null;
  let endRenewals = () => {};
  const deps: HttpDeps = {
    db,
    signals,
    clock,
    logger,
    metrics,
    settings: {
      body_limit: config.server.body_limit,
      batch_body_limit: config.server.batch_body_limit,
      webhook_body_limit: config.webhooks.body_limit,
      request_timeout: config.server.request_timeout,
      keep_alive_timeout: config.server.keep_alive_timeout,
      send_timeout: config.messages.send_timeout,
      metrics_public: config.metrics.public,
      transport: { ...config.server, tls: tls && readTls(tls) },
    },
    keys: identifier,
    tickets,
    senders,
    templates,
    media: {
      ...media,
      files: {
        ...media.files,
        async draft(bytes, source) {
          refuseWhenFull();
          return media.files.draft(bytes, source);
        },
      },
    },
    quota: asking?.quota ?? null,
    manage: {
      tenants: createTenants({ db, signals }),
      senders: createSenders({ db, signals, sealer }),
      templates: createTemplates({ db, signals }),
      keys: createApiKeys({ db, signals }),
      apps: createApps({ db, signals, sealer }),
      accounts: createAccounts({ db, signals, sealer }),
      pauses: { end: (tenant, id) => endPause(db, signals, tenant, id) },
      reseal: createReseal({ db, signals, sealer }),
    },
    contacts: createContacts({ db, signals }),
    chat,
    exports,
    redrives,
    webhooks,
    troubleOf: (error) => {
      if (error instanceof BatcherFull) return 'overloaded';
      if (error === full || isDiskFull(error)) return 'storage_full';
      if (!isTransient(error)) return null;
      return full ? 'storage_full' : 'unavailable';
    },
    health,
    ready,
    async acceptMessage(tenant, message, idempotency) {
      refuseWhenFull();
      const accepted = await acceptor.accept(tenant, message, idempotency);
      if (accepted.kind === 'accepted' && !accepted.replayed) metrics.accepted.add(1, { type: message.type });
      return accepted;
    },
    async acceptBatch(tenant, items, idempotency) {
      refuseWhenFull();
      metrics.activeBatches.set(++activeBatches);
      try {
        const batch = await acceptBatch(tenant, items, idempotency);
        if (batch.kind === 'accepted' && !batch.replayed) metrics.accepted.add(batch.accepted, { type: 'batch' });
        return batch;
      } finally {
        metrics.activeBatches.set(--activeBatches);
      }
    },
    async cancelMessage(tenant, id, idempotency) {
      const result = await cancelMessage(db, signals, tenant, id, idempotency);
      if (result === 'cancelled') metrics.ended.add(1, { state: 'cancelled' });
      return result;
    },
    rescheduleMessage: (tenant, id, change, idempotency) =>
      rescheduleMessage(db, signals, tenant, id, change, idempotency),
    explaining: {
      pace: {
        per_minute: config.limits.per_minute,
        batch_size: config.message_queue.batch_size,
        processing_interval_ms: config.message_queue.processing_interval,
      },
      validity: config.messages.validity,
    },
    retryMessage: (tenant, id, idempotency, acceptDuplicate) =>
      retryMessage(db, signals, tenant, id, idempotency, {
        acceptDuplicate,
        usual: limits,
        validity: config.messages.validity,
      }),
    ...customerReads,
    recordMessage: (tenant, conversation, said) => recordMessage(db, signals, tenant, conversation, said),
    storeWebhook: (name, body) => engine.webhooks.store(name, body),
    whatsapp: createVerifier(apps.secretsOf, clock.now),
  };
  const say = createSay(deps.quota ? gateAccepting(deps, deps.quota) : deps);
  const sockets = buildSockets(config, common, {
    identifier,
    chat,
    say,
    showCustomer: createShowCustomer(deps),
    markCustomersRead: customerReads.markRead,
    troubleOf: deps.troubleOf,
  });
  const app = buildHttp({ ...deps, sockets });

  return {
    ...part(
      'door',
      async () => {
        await checkSpace();
        await keyUses.start();
        spaceTimer = setInterval(() => void checkSpace(), SPACE_EVERY);
        await sockets.start();
        const { host, port } = config.server;
        await app.listen({ host, port, backlog: BACKLOG }).catch((error: unknown) => {
          throw cannotListen(error, host, port);
        });
        url = addressOf(tls ? 'https' : 'http', app.server.address(), host);
        if (!tls) return;
        endRenewals = renewTls(app, tls, {
          renewed: (until) => logger.info({ valid_until: until }, 'the new certificate is used'),
          refused: (error) =>
            logger.warn({ error }, 'the changed certificate or key cannot be used; the old pair stays'),
        });
      },
      async () => {
        clearInterval(spaceTimer);
        endRenewals();
        await sockets.stop();
        await app.close();
        await keyUses.stop();
      },
    ),
    url: () => url,
    say,
  };
}

/** A server that one can do without for a while. null: there is none. */
function wordOf(state: string | null): Health['redis'] {
  if (state === null) return 'off';
  return state === 'ok' ? 'ok' : 'away';
}

function isWell(state: string | null): boolean {
  return wordOf(state) !== 'away';
}

function addressOf(scheme: string, address: ReturnType<import('node:net').Server['address']>, host: string): string {
  const port = typeof address === 'object' && address ? address.port : 0;
  // Every address of the machine is none to write into a link: the loopback one is among them.
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
  return `${scheme}://${name}:${port}`;
}

function cannotListen(error: unknown, host: string, port: number): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const say = (text: string) => new StartError(text, { cause: error });
  if (code === 'EADDRINUSE')
    return say(`port ${port} of ${host} is in use: stop what uses it, or set ALDIS_SERVER_PORT`);
  if (code === 'EACCES')
    return say(`port ${port} may not be used by this user: set ALDIS_SERVER_PORT to one above 1023`);
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return say(`this machine has no address ${host}: set ALDIS_SERVER_HOST to one it has`);
  }
  return error;
}
