import { createAuthenticator } from '../access/api-keys.ts';
import { createSenderDirectory } from '../access/sender-directory.ts';
import { createBatchAcceptor } from '../actions/accept-batch.ts';
import { createAcceptor } from '../actions/accept-messages.ts';
import { cancelMessage, retryMessage } from '../actions/change-message.ts';
import { DEFAULT_APP, type Installation } from '../actions/set-up.ts';
import { createVerifier } from '../channels/whatsapp/webhook-verifier.ts';
import { BatcherFull } from '../db/batcher.ts';
import { isTransient } from '../db/pool.ts';
import { buildHttp } from '../http/build-http.ts';
import type { Health, Readiness } from '../http/http-deps.ts';
import { type Part, part } from '../runtime/lifecycle.ts';
import type { Config } from '../runtime/settings.ts';
import { StartError } from '../runtime/start-error.ts';
import { version } from '../version.ts';
import type { Common, Engine } from './engine.ts';

export interface DoorOptions {
  installation: Installation;
  engine: Engine;
  /** Throws when the disk is nearly full. */
  ensureSpace: () => Promise<void>;
}

/** The HTTP server as a part. */
export interface Door extends Part {
  /** Where it listens: http://HOST:PORT, once it is started. */
  url(): string;
}

const SPACE_EVERY = 5000;

export function buildDoor(config: Config, common: Common, { installation, engine, ensureSpace }: DoorOptions): Door {
  const { db, signals, clock, metrics, logger, instance, slot } = common;
  const acceptor = createAcceptor({ db, signals, slot });
  const acceptBatch = createBatchAcceptor({ db, signals, instance, slot });
  const secrets = { appSecret: installation.appSecret, verifyToken: installation.verifyToken };
  let activeBatches = 0;
  let full: Error | null = null;
  let spaceTimer: NodeJS.Timeout | undefined;
  let url = '';

  const health = (): Health => ({
    status: engine.dispatcher.healthy && !full ? 'healthy' : 'degraded',
    service: config.service.name,
    version,
    environment: config.environment,
    metrics: { active_batches: activeBatches, circuit_breaker_state: 'closed' },
  });
  const ready = async (): Promise<Readiness> => {
    const database = await db.query({ name: 'ready', text: 'select 1' }).then(
      () => 'ok',
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    const dispatch = engine.dispatcher.healthy ? 'ok' : 'the lease is not held';
    return {
      ready: database === 'ok' && dispatch === 'ok' && !full,
      checks: { database, dispatch, disk: full?.message ?? 'ok' },
    };
  };
  const checkSpace = async () => {
    full = await ensureSpace().then(
      () => null,
      (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
    );
  };
  const refuseWhenFull = () => {
    if (full) throw full;
  };

  const app = buildHttp({
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
      metrics_public: config.metrics.public,
    },
    keys: createAuthenticator({ db, clock }),
    senders: createSenderDirectory({ db, clock }),
    troubleOf: (error) => {
      if (error instanceof BatcherFull) return 'overloaded';
      return isTransient(error) || error === full ? 'unavailable' : null;
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
    retryMessage: (tenant, id, idempotency) => retryMessage(db, signals, tenant, id, idempotency),
    storeWebhook: (name, body) => engine.webhooks.store(name, body),
    whatsapp: createVerifier((name) => (name === DEFAULT_APP ? secrets : undefined)),
  });

  return {
    ...part(
      'door',
      async () => {
        await checkSpace();
        spaceTimer = setInterval(() => void checkSpace(), SPACE_EVERY);
        const { host, port } = config.server;
        await app.listen({ host, port }).catch((error: unknown) => {
          throw cannotListen(error, host, port);
        });
        url = addressOf(app.server.address(), host);
      },
      async () => {
        clearInterval(spaceTimer);
        await app.close();
      },
    ),
    url: () => url,
  };
}

function addressOf(address: ReturnType<import('node:net').Server['address']>, host: string): string {
  const port = typeof address === 'object' && address ? address.port : 0;
  // Every address of the machine is none to write into a link: the loopback one is among them.
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}`;
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
