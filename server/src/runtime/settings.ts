import { parseFailpoint, showFailpoint } from './failpoints.ts';
import { PROFILE_NAMES } from './profiles.ts';
import { boolean, choice, integer, list, type Setting, text, url } from './setting.ts';
import { AUTH, SERVER, WS } from './settings/doors.ts';
import { EXPORTS, MEDIA } from './settings/files.ts';
import {
  CONVERSATION_SERVICE,
  OUTGOING,
  TENANT_SERVICE,
  WEBHOOK_CHANNEL,
  WEBHOOKS,
  WEBHOOKS_OUT,
} from './settings/outgoing.ts';
import { CONSENT, ENGINE, IDEMPOTENCY, LIMITS, MESSAGE_QUEUE, MESSAGES, WHATSAPP } from './settings/sending.ts';
import { DATABASE, EVENTS, KAFKA, OFFLINE, REDIS } from './settings/servers.ts';

/** A key that encrypts secrets at rest: 32 bytes in base64. The highest version encrypts, the others still decrypt. */
export interface EncryptionKey {
  version: number;
  key: string;
}

/**
 * Every setting of Aldis, in the order of its documents. The type `Config`, the reference page, the example files, the names in the
 * environment and the flags are all made from this tree. `server.port` is `port` under `server` in YAML, `ALDIS_SERVER_PORT` in the
 * environment and `--server-port` on the command line.
 */
export const SETTINGS = {
  profile: choice({
    default: 'aldis',
    words: PROFILE_NAMES,
    about:
      "Takes a documented service's own defaults in place of ours; see Profiles. What is set anywhere goes before.",
  }),
  data_dir: text({
    default: '.aldis',
    about: 'The data folder. A relative path begins at the working folder; the default one lies in the project.',
  }),
  environment: choice({
    default: 'development',
    words: ['development', 'production'],
    read: { dev: 'development', prod: 'production', test: 'development' },
    aliases: ['NODE_ENV', 'ENVIRONMENT', 'APP_ENV'],
    about: 'In production nothing is simulated, a database has to be named, and logs are JSON.',
  }),
  service: {
    name: text({ default: 'aldis', keys: ['appName'], about: 'The name that `/health` gives.' }),
  },
  server: SERVER,
  database: DATABASE,
  whatsapp: WHATSAPP,
  engine: ENGINE,
  message_queue: MESSAGE_QUEUE,
  limits: LIMITS,
  messages: MESSAGES,
  idempotency: IDEMPOTENCY,
  consent: CONSENT,
  exports: EXPORTS,
  webhooks: WEBHOOKS,
  webhooks_out: WEBHOOKS_OUT,
  webhook_channel: WEBHOOK_CHANNEL,
  outgoing: OUTGOING,
  media: MEDIA,
  auth: AUTH,
  ws: WS,
  redis: REDIS,
  events: EVENTS,
  offline: OFFLINE,
  kafka: KAFKA,
  tenant_service: TENANT_SERVICE,
  conversation_service: CONVERSATION_SERVICE,
  simulator: {
    enabled: boolean({
      default: true,
      about:
        'Runs a simulated WhatsApp beside the server. Never in production, and not when `simulator.url` names one.',
    }),
    port: integer({ default: 4101, min: 0, max: 65535, about: "The simulator's port. 0 takes any free one." }),
    url: url({ default: null, about: 'A simulator that runs already and is used instead of an own one.' }),
  },
  demo: {
    senders: integer({
      default: 1,
      min: 1,
      max: 1000,
      about: 'How many simulated numbers the first start makes, each in a portfolio of its own.',
    }),
  },
  api_key: text({
    default: null,
    secret: true,
    pattern: /^[\w.~+/=-]{24,200}$/,
    expects: '24 to 200 letters, digits and . _ ~ + / = -',
    about:
      'The key the first start gives the first tenant, instead of one drawn at random. The command line asks with it.',
  }),
  url: url({
    default: null,
    about: 'Where the command line finds the server. Without one, `credentials.json` in the data folder tells.',
  }),
  secrets: {
    encryption_keys: list<EncryptionKey>({
      default: [],
      secret: true,
      expects: 'VERSION:KEY, a whole number and 32 bytes in base64',
      parse: parseEncryptionKey,
      show: ({ version, key }) => `${version}:${key}`,
      about:
        'The keys that encrypt credentials in the database, as `1:BASE64`. The highest version encrypts. Without one, a key is made in the data folder.',
    }),
  },
  log: {
    level: choice({
      default: 'info',
      words: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
      read: { warning: 'warn' },
      aliases: ['LOG_LEVEL'],
      about: 'The least serious entries that are logged.',
    }),
    format: choice({
      default: 'auto',
      words: ['auto', 'json', 'pretty'],
      about: 'How entries are written to standard error. `auto` is pretty in a terminal outside production, else JSON.',
    }),
  },
  metrics: {
    public: boolean({ default: false, about: 'Gives `/metrics` to everybody, without a key.' }),
  },
  import: {
    default_country: text({
      default: null,
      pattern: /^[A-Z]{2}$/,
      expects: 'a country of two capital letters such as ID',
      about: 'The country of phone numbers in imported files that are written without one.',
    }),
  },
  failpoints: list({
    default: [],
    expects: 'NAME=kill, NAME=error or NAME=delay:500ms',
    parse: parseFailpoint,
    show: showFailpoint,
    about:
      'Crashes, errors and delays at named places, for drills: `settle.before_commit=kill@3`. Never in production.',
  }),
} as const;

/** Settings by name, in sections. */
export interface SettingTree {
  readonly [name: string]: Setting<unknown> | SettingTree;
}

type Values<T> = {
  readonly [K in keyof T]: T[K] extends Setting<infer V> ? V : Values<T[K]>;
};

/** The configuration: read once, whole, frozen. Times are milliseconds, sizes are bytes. */
export type Config = Values<typeof SETTINGS>;

/** A setting with its place in the tree and its names. */
export interface NamedSetting {
  /** `server.port` */
  key: string;
  path: readonly string[];
  /** `ALDIS_SERVER_PORT` */
  variable: string;
  /** `--server-port` */
  flag: string;
  setting: Setting<unknown>;
}

/** All settings, in the order of the tree. */
export const ALL_SETTINGS: readonly NamedSetting[] = [...walk(SETTINGS, [])];

function* walk(tree: SettingTree, above: readonly string[]): Generator<NamedSetting> {
  for (const [name, value] of Object.entries(tree)) {
    const path = [...above, name];
    if (!isSetting(value)) {
      yield* walk(value, path);
      continue;
    }
    yield {
      key: path.join('.'),
      path,
      variable: `ALDIS_${path.join('_').toUpperCase()}`,
      flag: `--${value.flag ?? path.join('-').replaceAll('_', '-')}`,
      setting: value,
    };
  }
}

function isSetting(value: Setting<unknown> | SettingTree): value is Setting<unknown> {
  return typeof value.read === 'function';
}

/**
 * The values in the shape of the tree, frozen all through. Each value was made by its own setting, which is what makes
 * the type true.
 */
export function frozenConfig(values: ReadonlyMap<string, unknown>): Config {
  const build = (tree: SettingTree, above: readonly string[]): object =>
    Object.freeze(
      Object.fromEntries(
        Object.entries(tree).map(([name, value]) => {
          const path = [...above, name];
          return [name, isSetting(value) ? deepFreeze(values.get(path.join('.'))) : build(value, path)];
        }),
      ),
    );
  return build(SETTINGS, []) as Config;
}

function deepFreeze(value: unknown): unknown {
  if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) deepFreeze(inner);
    Object.freeze(value);
  }
  return value;
}

function parseEncryptionKey(item: string): EncryptionKey | undefined {
  const match = /^([1-9]\d{0,8}):([A-Za-z0-9+/]{43}=)$/.exec(item);
  const [, version, key] = match ?? [];
  return version !== undefined && key !== undefined ? { version: Number(version), key } : undefined;
}
