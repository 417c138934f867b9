import { boolean, choice, duration, integer, list, text, url } from '../setting.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../units.ts';

/* The servers of others that it stands on: PostgreSQL, Redis, Kafka; and the event log that goes there. */

export const DATABASE = {
  url: url({
    default: null,
    schemes: ['postgres', 'postgresql'],
    secret: true,
    about: 'A PostgreSQL of your own, 15 or newer. Without one, an embedded PostgreSQL is run in the data folder.',
  }),
  host: text({
    default: null,
    aliases: ['MSG_SVC_DATABASE_HOST', 'DB_HOST'],
    pattern: /^(?:[\w.:-]+|\/.*)$/,
    expects: 'a host name, an address, or the folder of a socket',
    about: 'Where that PostgreSQL is, in parts instead of `database.url`. Without one no server is looked for.',
  }),
  port: integer({
    default: 5432,
    min: 1,
    max: 65535,
    aliases: ['MSG_SVC_DATABASE_PORT', 'DB_PORT'],
    about: 'Its port.',
  }),
  name: text({
    default: 'aldis',
    aliases: ['MSG_SVC_DATABASE_NAME', 'DB_NAME'],
    about: 'The database in it, which is to be empty at the first start.',
  }),
  user: text({
    default: null,
    aliases: ['MSG_SVC_DATABASE_USER', 'DB_USER', 'PGUSER'],
    about: 'Who logs in there, also when `database.url` names nobody.',
  }),
  password: text({
    default: null,
    secret: true,
    aliases: ['MSG_SVC_DATABASE_PASSWORD', 'DB_PASSWORD', 'PGPASSWORD'],
    about: 'The password of that user.',
  }),
  ssl: choice({
    default: 'disable',
    words: ['disable', 'no-verify', 'verify-full'],
    read: { false: 'disable', require: 'no-verify', true: 'verify-full' },
    aliases: ['MSG_SVC_DATABASE_SSL', 'DB_SSLMODE', 'DB_SSL_MODE'],
    about: 'Whether the connection is encrypted, and whether the certificate must be of that host.',
  }),
  embedded: boolean({
    default: false,
    flag: 'embedded',
    about: 'Allows the embedded PostgreSQL in production. In development it needs no leave.',
  }),
  max_connections: integer({
    default: 7,
    min: 2,
    max: 500,
    aliases: ['MSG_SVC_DATABASE_MAX_OPEN_CONNS'],
    keys: ['database.max_open_conns'],
    about: 'The most connections to the database at once, beside one for the renewals of leases.',
  }),
  connection_lifetime: duration({
    default: null,
    min: SECOND,
    max: 7 * DAY,
    aliases: ['MSG_SVC_DATABASE_CONN_MAX_LIFETIME'],
    keys: ['database.conn_max_lifetime'],
    about: 'After how long a connection to the database is replaced by a new one. Without a time it is kept.',
  }),
} as const;

export const REDIS = {
  url: text({
    default: null,
    secret: true,
    pattern: /^(?:rediss?:\/\/\S+|[\w.-]+(?::\d{1,5})?|\[[\da-fA-F:]+\](?::\d{1,5})?)$/,
    expects: 'redis://USER:PASSWORD@HOST:PORT/DB, rediss:// for TLS, or HOST:PORT',
    aliases: ['MSG_SVC_REDIS_URL', 'REDIS_URL', 'REDIS_URI', 'REDIS_ADDR'],
    keys: ['redis.uri'],
    about:
      'A Redis 6 or newer that instances share: by it they tell each other at once what changed, and count requests together. Without one they do so by the database, within half a second, and count each for itself.',
  }),
  host: text({
    default: null,
    aliases: ['MSG_SVC_REDIS_HOST', 'REDIS_HOST'],
    pattern: /^[\w.:-]+$/,
    expects: 'a host name or an address',
    about: 'Where that Redis is, in parts instead of `redis.url`.',
  }),
  port: text({
    default: '6379',
    aliases: ['MSG_SVC_REDIS_PORT', 'REDIS_PORT'],
    // A cluster sets REDIS_PORT=tcp://ADDRESS:PORT for a service that is called redis.
    pattern: /^(?:tcp:\/\/\S+:)?\d{1,5}$/,
    expects: 'a port',
    about: 'Its port.',
  }),
  user: text({ default: null, aliases: ['MSG_SVC_REDIS_USER', 'REDIS_USER'], about: 'Who logs in there.' }),
  password: text({
    default: null,
    secret: true,
    pattern: /^/,
    aliases: ['MSG_SVC_REDIS_PASSWORD', 'REDIS_PASSWORD'],
    about: 'The password of that user. An empty one is none.',
  }),
  db: integer({
    default: 0,
    min: 0,
    max: 1_000_000,
    aliases: ['MSG_SVC_REDIS_DB', 'REDIS_DB'],
    about: 'The number of the database in it. Signals go to all of them.',
  }),
  prefix: text({
    default: 'aldis',
    pattern: /^[\w.:/-]{0,99}[\w./-]$/,
    expects: 'letters, digits and . _ : / -, no colon at the end',
    about: 'What each key and channel begins with there, before a colon.',
  }),
  ttl: duration({
    default: DAY,
    min: 0,
    max: 90 * DAY,
    aliases: ['MSG_SVC_REDIS_TTL', 'REDIS_TTL'],
    about: 'How long Redis keeps which messages were sent, for whoever wants to read it there. 0: it does not.',
  }),
} as const;

export const EVENTS = {
  retention: duration({
    default: 30 * DAY,
    min: DAY,
    max: 3650 * DAY,
    about:
      'How long events are kept. What webhooks, Kafka or another consumer of ours has not read yet is kept for at most 7 days more.',
  }),
} as const;

export const OFFLINE = {
  delay: duration({
    default: 5 * SECOND,
    min: 0,
    max: HOUR,
    about:
      'How long after a message it is looked which participants had no live device for it: for each there is an event `notification.offline`.',
  }),
  max_age: duration({
    default: HOUR,
    min: SECOND,
    max: 30 * DAY,
    about:
      'How much later than that it may be, after an outage, and still be told. Of messages that are looked at later yet, nobody is told.',
  }),
} as const;

export const KAFKA = {
  brokers: list<string>({
    default: [],
    expects: 'HOST:PORT',
    parse: (item) => (/^(?:[\w.-]+|\[[\da-fA-F:]+\]):\d{1,5}$/.test(item) ? item : undefined),
    show: (item) => item,
    aliases: ['KAFKA_BROKERS'],
    about:
      'Kafka brokers that every event is published to, from the first start with this setting on. While they are down, or the setting is away, events wait; none is lost.',
  }),
  client_id: text({
    default: 'aldis',
    aliases: ['KAFKA_CLIENT_ID'],
    pattern: /^\S{1,200}$/,
    expects: 'a name without spaces',
    about: 'What the brokers know this client by.',
  }),
  topic_prefix: text({
    default: 'aldis.',
    pattern: /^[\w.-]{0,200}$/,
    expects: 'letters, digits and . _ -',
    about: 'What stands before the names of the topics `message`, `chat`, `conversation` and `webhook`.',
  }),
  notifications_topic: text({
    default: 'notifications',
    pattern: /^[\w.-]{1,249}$/,
    expects: 'letters, digits and . _ -',
    about: 'The topic of the events that tell of users who are away, keyed by user.',
  }),
  mode: choice({
    default: 'structured',
    words: ['structured', 'binary'],
    about:
      'How a CloudEvent stands in a record: whole in its value, or its attributes in headers and its data in the value.',
  }),
  create_topics: boolean({
    default: true,
    about: 'Lets the brokers make a topic that is not there, where they allow it.',
  }),
  timeout: duration({
    default: 10 * SECOND,
    min: SECOND,
    max: MINUTE,
    about: 'How long a broker may take to answer.',
  }),
  tls: {
    enabled: boolean({
      default: false,
      about: 'Speaks TLS with the brokers, whose certificates must be of their hosts.',
    }),
    ca_file: text({ default: null, about: 'Who must have signed them, PEM. Without one, who is trusted usually.' }),
    cert_file: text({ default: null, about: 'A certificate of our own for the brokers, PEM.' }),
    key_file: text({ default: null, about: 'Its private key, PEM.' }),
  },
  sasl: {
    mechanism: choice({
      default: 'off',
      words: ['off', 'plain', 'scram-sha-256', 'scram-sha-512'],
      about: 'How we log in at the brokers.',
    }),
    username: text({ default: null, about: 'Who logs in there.' }),
    password: text({ default: null, secret: true, about: 'The password of that user.' }),
  },
} as const;
