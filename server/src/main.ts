import { randomInt } from 'node:crypto';
import { hostname } from 'node:os';
import { setUp } from './actions/set-up.ts';
import { buildBlockedUsers } from './boot/blocked-users.ts';
import { buildChat } from './boot/chat.ts';
import { buildCheckSenders } from './boot/check-senders.ts';
import { collectMetrics } from './boot/collect-metrics.ts';
import { buildConversationStore } from './boot/conversation-store.ts';
import { buildDoor } from './boot/door.ts';
import { buildEngine } from './boot/engine.ts';
import { buildEventStream } from './boot/event-stream.ts';
import { buildExports } from './boot/exports.ts';
import { greet } from './boot/greeting.ts';
import { findNumbers, findWebhook, openSealer } from './boot/installation.ts';
import { buildKafka } from './boot/kafka.ts';
import { buildMedia } from './boot/media.ts';
import { buildReadMarks } from './boot/read-marks.ts';
import { buildRedrives } from './boot/redrives.ts';
import { buildSignals } from './boot/signals.ts';
import { openStore, type Store } from './boot/store.ts';
import { buildSyncAccounts } from './boot/sync-accounts.ts';
import { buildTemplates } from './boot/templates.ts';
import { buildWebhooks } from './boot/webhooks.ts';
import { type InstanceId, newId } from './domain/ids.ts';
import { createLateMessages } from './jobs/late-messages.ts';
import { createUpkeep } from './jobs/upkeep.ts';
import { atAddress, type Simulator, startSimulator } from './outside/simulator.ts';
import { systemClock } from './runtime/clock.ts';
import { childEnvironment, type LoadedConfig } from './runtime/config.ts';
import { type Credentials, readLastKeys, writeCredentials } from './runtime/data-folder.ts';
import { armFailpoints } from './runtime/failpoints.ts';
import { createIdleCollection, exposedCollector, loopBusiness, requestCount } from './runtime/idle-collection.ts';
import { type Part, type PartEvent, part, startAll } from './runtime/lifecycle.ts';
import { createLogger, type Logger } from './runtime/logger.ts';
import { createMetrics } from './runtime/metrics.ts';
import { WrongKey } from './runtime/sealer.ts';
import type { Config } from './runtime/settings.ts';
import { StartError } from './runtime/start-error.ts';
import { version } from './version.ts';

/**
 * The program: builds the parts, each from what it needs, starts them in order and stops them in reverse. This file and
 * boot/ are the only places that build things.
 */
export async function startServer(loaded: LoadedConfig): Promise<void> {
  const { config } = loaded;
  const logger = createLogger(config);
  const stopping = new AbortController();
  const told = tellWhenStopped(stopping);
  const server = await assemble(loaded, logger, stopping.signal);
  greet(server.credentials, config);
  const reason = await told;
  logger.info({ reason }, 'stopping');
  const faults = await server.stop();
  process.exit(faults === 0 ? 0 : 1);
}

/** Brings the database to this program's schema, and ends. */
export async function migrateDatabase({ config, sources }: LoadedConfig): Promise<void> {
  const store = await openStore(config, sources, createLogger(config));
  await store.close();
}

/** Rows of the counters that one instance uses, and how many instances are likely to have rows of their own. */
const SLOTS_EACH = 6;
const MOST_SLOTS = 64;

interface Server {
  credentials: Credentials;
  /** Gives how many parts did not stop well. */
  stop(): Promise<number>;
}

/**
 * Builds and starts everything.
 * @throws {StartError} for what a person can mend.
 */
async function assemble(
  { config, sources, warnings }: LoadedConfig,
  logger: Logger,
  signal: AbortSignal,
): Promise<Server> {
  for (const warning of warnings) logger.warn(`configuration: ${warning}`);
  armFailpoints(config.failpoints);
  const store = await openStore(config, sources, logger);
  let simulator: Simulator | null = null;
  try {
    simulator = await findSimulator(config);
    const { parts, credentials } = await build(config, store, simulator, logger);
    const running = await startAll(
      [
        part(
          'store',
          async () => {},
          () => store.close(),
        ),
        part(
          'simulator',
          async () => {},
          async () => simulator?.stop(),
        ),
        ...parts,
      ],
      { signal, observe: (event) => tellOfPart(event, logger) },
    );
    return { credentials: credentials(), stop: async () => (await running.stop()).length };
  } catch (error) {
    await simulator?.stop();
    await store.close().catch(() => {});
    throw error instanceof WrongKey ? wrongKey(error) : error;
  }
}

/** What did not stop as it should makes the exit code 1: the log says why. */
function tellOfPart(event: PartEvent, logger: Logger): void {
  if (event.event === 'stop_failed' || event.event === 'stop_overdue') logger.warn(event, 'a part did not stop well');
  else logger.debug(event, 'part');
}

async function build(config: Config, store: Store, simulator: Simulator | null, logger: Logger) {
  const { db, folder, embedded } = store;
  const instance = newId<InstanceId>();
  const clock = systemClock;
  const metrics = createMetrics({ version });
  // Before a key is made: what is wrong with the configuration leaves nothing behind.
  const numbers = await findNumbers(config, simulator);
  const sealer = await openSealer(config, folder, db);
  const last = readLastKeys(folder);
  const installation = await setUp(db, {
    sealer,
    apiKey: config.api_key ?? last.apiKey,
    operatorKey: last.operatorKey,
    appSecret: config.whatsapp.app_secret,
    verifyToken: config.whatsapp.verify_token,
    numbers,
    webhook: findWebhook(config),
  });
  const apiUrl = simulator?.url ?? config.whatsapp.api_url;
  const slot = embedded ? 0 : SLOTS_EACH * randomInt(1, MOST_SLOTS);
  const surroundings = { db, clock, metrics, logger, instance };
  const shared = await buildSignals(config, surroundings, { alone: embedded, secret: installation.markKey });
  const common = { ...surroundings, signals: shared.signals, slot };
  const media = await buildMedia(config, common, { sealer, apiUrl, folder, secret: installation.markKey });
  const engine = buildEngine(config, common, {
    leases: store.leases,
    sealer,
    markKey: installation.markKey,
    alone: embedded,
    apiUrl,
    media: media.provider,
    description: `${hostname()} ${process.pid}`,
    sent: shared.sent,
  });
  const exports = buildExports(config, common, media.store);
  const redrives = buildRedrives(config, common);
  const chat = buildChat(common);
  const webhooks = buildWebhooks(config, common, { sealer, alone: embedded });
  const kafka = await buildKafka(config, common, embedded);
  const door = buildDoor(config, common, {
    engine,
    media: media.door,
    exports: exports.door,
    redrives: redrives.actions,
    webhooks: webhooks.door,
    chat,
    sealer,
    ensureSpace: store.ensureSpace,
    shared,
    kafka: () => kafka && (kafka.trouble() ?? 'ok'),
  });
  collectMetrics(metrics, db, () => engine.dispatcher.inFlight, config.engine.doubt_report_after);

  const credentials = (): Credentials => ({
    url: door.url(),
    api_key: installation.apiKey,
    operator_key: installation.operatorKey,
    tenant_id: installation.tenant,
    sender_id: installation.senders[0]?.id ?? '',
    sender_ids: installation.senders.map((sender) => sender.id),
    simulator_url: simulator?.url ?? null,
    whatsapp_app_secret: installation.appSecret,
    whatsapp_verify_token: installation.verifyToken,
    phone_number_id: installation.senders.find((sender) => sender.phone_number_id !== null)?.phone_number_id ?? '',
    phone_number_ids: installation.senders.flatMap(({ phone_number_id: number }) => (number === null ? [] : [number])),
  });
  // Once the door is open: the simulator asks there at once whether the address is right, and a script may begin.
  const introduced = part(
    'introduction',
    async () => {
      await simulator?.register({
        url: new URL('/webhooks/whatsapp', config.server.public_url ?? door.url()).href,
        app_secret: installation.appSecret,
        verify_token: installation.verifyToken,
      });
      writeCredentials(folder, credentials());
    },
    async () => {},
  );
  const readMarks = buildReadMarks(config, common, { sealer, apiUrl });
  const upkeep = createUpkeep({
    ...common,
    retention: { keys: config.idempotency.retention, webhooks: config.webhooks.retention },
  });
  const checks = buildCheckSenders(config, common, { sealer, apiUrl });
  const blockedUsers = buildBlockedUsers(config, common, { sealer, apiUrl });
  const lateMessages = createLateMessages({ ...common, logger: logger.child({ part: 'late messages' }) });
  const accounts = buildSyncAccounts(config, common, { sealer, apiUrl });
  const templates = buildTemplates(config, common, { sealer, apiUrl, files: media.door.files });
  const said = buildConversationStore(config, common, embedded);
  const stream = buildEventStream(config, common, embedded);
  const parts: Part[] = [
    ...shared.parts,
    ...media.parts,
    exports.job,
    redrives.job,
    checks,
    accounts,
    templates,
    upkeep,
    readMarks,
    blockedUsers,
    lateMessages,
    engine.providerStops,
    ...said,
    ...stream,
    ...(kafka ? [kafka] : []),
    ...webhooks.parts,
    engine.pauses,
    engine.lease,
    engine.dispatcher,
    engine.inbound,
    door,
    introduced,
    createIdleCollection({
      collect: exposedCollector(),
      busy: loopBusiness(),
      asked: requestCount(),
      failed: (error) => logger.error({ error }, 'garbage could not be collected'),
    }),
  ];
  return { parts, credentials };
}

/** The simulated WhatsApp, unless this is production or one is named. */
async function findSimulator(config: Config): Promise<Simulator | null> {
  if (config.simulator.url !== null) return atAddress(config.simulator.url);
  const wanted = config.environment !== 'production' && config.simulator.enabled;
  if (!wanted || config.whatsapp.number.phone_number_id !== null) return null;
  // Its webhooks come to our door: it has to trust the certificate there.
  const { cert_file } = config.server.tls;
  const trusted = childEnvironment().NODE_EXTRA_CA_CERTS ?? cert_file;
  return startSimulator(
    config.simulator.port,
    childEnvironment(trusted === null ? {} : { NODE_EXTRA_CA_CERTS: trusted }),
  );
}

function wrongKey(error: WrongKey): StartError {
  return new StartError(
    `the encryption key is not the one this database was set up with (${error.message}): restore secret.key in the data folder, or name the right keys in ALDIS_SECRETS_ENCRYPTION_KEYS`,
    { cause: error },
  );
}

/** Resolves with the signal's name when the process is told to stop; told twice, it ends at once. */
function tellWhenStopped(stopping: AbortController): Promise<string> {
  return new Promise((resolve) => {
    const stop = (signal: string) => {
      if (stopping.signal.aborted) process.exit(130);
      stopping.abort(new StartError(`stopped by ${signal} while starting`, { exitCode: 0 }));
      resolve(signal);
    };
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => stop(signal));
  });
}
