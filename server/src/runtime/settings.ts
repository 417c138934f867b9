import { isIP } from 'node:net';
import { OPT_IN_WORDS, OPT_OUT_WORDS } from './consent-words.ts';
import { parseFailpoint, showFailpoint } from './failpoints.ts';
import { PROFILE_NAMES } from './profiles.ts';
import { boolean, bytes, choice, duration, integer, list, type Setting, text, url } from './setting.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const KIB = 2 ** 10;
const MIB = 2 ** 20;
const MB = 1e6;

/** A key that encrypts secrets at rest: 32 bytes in base64. The highest version encrypts, the others still decrypt. */
export interface EncryptionKey {
  version: number;
  key: string;
}

/** What users without a key may be allowed: nothing that speaks for others, and nothing of an operator's. */
const USER_SCOPES = [
  'conversations:read',
  'conversations:write',
  'media:read',
  'media:write',
  'messages:read',
  'messages:write',
  'templates:read',
  'contacts:read',
] as const;
type UserScope = (typeof USER_SCOPES)[number];

const SIGNATURE_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
  'HS256',
  'HS384',
  'HS512',
] as const;
type SignatureAlgorithm = (typeof SIGNATURE_ALGORITHMS)[number];

const CLAIM = { pattern: /^[\w.:/-]{1,200}$/, expects: 'the name of a claim' };

/**
 * Every setting of Aldis, and the one place that knows them: the type `Config`, the reference page, the example files, the
 * names in the environment and the flags are all made from this tree. `server.port` is `port` under `server` in YAML,
 * `ALDIS_SERVER_PORT` in the environment and `--server-port` on the command line.
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
  server: {
    host: text({
      default: '127.0.0.1',
      aliases: ['MSG_SVC_SERVER_HOST'],
      about: 'The address to listen on. `0.0.0.0` is every address of the machine.',
    }),
    port: integer({
      default: 8080,
      min: 0,
      max: 65535,
      aliases: ['MSG_SVC_SERVER_PORT', 'SERVER_PORT', 'PORT'],
      about: 'The port to listen on. 0 takes any free one.',
    }),
    public_url: url({
      default: null,
      about: 'Where Meta reaches this server, for its webhooks. Without one, the address it listens on.',
    }),
    body_limit: bytes({
      default: MIB,
      min: KIB,
      max: 64 * MIB,
      about: 'The largest request body, except a batch and a webhook. A larger one is answered 413.',
    }),
    batch_body_limit: bytes({
      default: 32 * MIB,
      min: KIB,
      max: 256 * MIB,
      about: 'The largest body of a batch.',
    }),
    request_timeout: duration({
      default: 30 * SECOND,
      min: SECOND,
      max: 10 * MINUTE,
      aliases: ['MSG_SVC_SERVER_READ_TIMEOUT'],
      keys: ['server.read_timeout'],
      about: 'How long a request may take to arrive whole.',
    }),
    write_timeout: duration({
      default: 30 * SECOND,
      min: SECOND,
      max: 10 * MINUTE,
      aliases: ['MSG_SVC_SERVER_WRITE_TIMEOUT'],
      about: 'How long an answer may stand still because its client does not read it. Then the connection is closed.',
    }),
    keep_alive_timeout: duration({
      default: 65 * SECOND,
      min: SECOND,
      max: HOUR,
      about: 'How long an idle connection stays open. Longer than that of a load balancer before it.',
    }),
    header_limit: bytes({
      default: 16 * KIB,
      min: 4 * KIB,
      max: 256 * KIB,
      about: 'The largest head of a request. A larger one is answered 431.',
    }),
    cors_origins: list<string>({
      default: [],
      expects: 'an origin such as https://shop.example, or *',
      parse: (item) => (item === '*' || /^https?:\/\/[^/\s]+$/.test(item) ? item : undefined),
      show: (item) => item,
      about: 'Pages of these origins may call the API from a browser. None unless told.',
    }),
    tls: {
      cert_file: text({
        default: null,
        about: 'The certificate with its chain, PEM. With it the server speaks HTTPS only. Read again when it changes.',
      }),
      key_file: text({ default: null, about: "The certificate's private key, PEM. Read again when it changes." }),
    },
    trusted_proxies: list<string>({
      default: [],
      expects: 'an address or a range such as 10.0.0.0/8',
      parse: parseNetwork,
      show: (item) => item,
      about: 'Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.',
    }),
  },
  database: {
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
  },
  whatsapp: {
    api_url: url({
      default: 'https://graph.facebook.com',
      aliases: ['MSG_SVC_WHATSAPP_API_ENDPOINT'],
      keys: ['whatsapp.api_endpoint'],
      about: 'Where the WhatsApp Cloud API is. In development the simulator takes its place.',
    }),
    api_version: text({
      default: 'v26.0',
      pattern: /^v\d+\.\d+$/,
      expects: 'a version of the Graph API such as v26.0',
      about: 'The version of the Graph API.',
    }),
    request_timeout: duration({
      default: 15 * SECOND,
      min: 100,
      max: 2 * MINUTE,
      aliases: [{ name: 'REQUEST_TIMEOUT_SECONDS', unit: 's' }, 'MSG_SVC_WHATSAPP_TIMEOUT'],
      keys: ['whatsapp.timeout'],
      about: 'How long a call to WhatsApp may take. A send that takes longer has an unknown outcome.',
    }),
    max_in_flight: integer({ default: 256, min: 1, max: 10_000, about: 'The most sends under way at once.' }),
    app_secret: text({
      default: null,
      secret: true,
      about: "The Meta app's secret, which signs webhooks. Kept encrypted once it was given.",
    }),
    verify_token: text({
      default: null,
      secret: true,
      about: 'The word that Meta repeats when it asks whether the webhook address is yours.',
    }),
    number: {
      phone_number_id: text({
        default: null,
        pattern: /^\d{5,20}$/,
        expects: '5 to 20 digits',
        about: "The first business number's id in the Graph API. It becomes the tenant's default sender.",
      }),
      account_id: text({
        default: null,
        pattern: /^\d{5,20}$/,
        expects: '5 to 20 digits',
        about: 'Its WhatsApp Business Account.',
      }),
      portfolio_id: text({
        default: null,
        pattern: /^\d{5,20}$/,
        expects: '5 to 20 digits',
        about: 'Its business portfolio, whose limits its numbers share. Without one, its account stands for it.',
      }),
      phone: text({
        default: null,
        pattern: /^\+[1-9]\d{6,14}$/,
        expects: 'a number like +6281234567890',
        about: 'The number itself.',
      }),
      access_token: text({
        default: null,
        secret: true,
        aliases: ['MSG_SVC_WHATSAPP_API_KEY'],
        keys: ['whatsapp.api_key'],
        about: 'The token that may send from it. Kept encrypted; another one replaces it at the next start.',
      }),
    },
    connections: integer({
      default: 256,
      min: 1,
      max: 1000,
      about: 'The most connections to WhatsApp at once. Each carries one call at a time.',
    }),
    check_interval: duration({
      default: 10 * MINUTE,
      min: SECOND,
      max: 7 * DAY,
      about:
        'How often WhatsApp is asked whether a number is still connected. A new or changed one is asked about at once.',
    }),
    sync_interval: duration({
      default: HOUR,
      min: MINUTE,
      max: 7 * DAY,
      about:
        'How often an account is read from WhatsApp: its token, its numbers, their quality, names and limits. When something changed it is read at once.',
    }),
  },
  engine: {
    lease: duration({
      default: 5 * SECOND,
      min: 2 * SECOND,
      max: MINUTE,
      about:
        'How long an instance owns a lane of messages. After its death, others wait this long before they take over.',
    }),
    lease_renewal: duration({
      default: 1500,
      min: 100,
      max: 20 * SECOND,
      about: 'How often the lease is renewed. At most a third of it.',
    }),
    sender_in_flight: integer({
      default: null,
      min: 1,
      max: 10_000,
      about: 'The most sends of one sender under way at once. Without a number, half of `whatsapp.max_in_flight`.',
    }),
    tenant_in_flight: integer({
      default: null,
      min: 1,
      max: 10_000,
      about:
        'The most sends of one tenant under way at once. Without a number, three quarters of `whatsapp.max_in_flight`.',
    }),
    doubt_grace: duration({
      default: MINUTE,
      min: SECOND,
      max: DAY,
      about:
        'How long after an attempt began its outcome may stay unknown before the policy of its category is asked. Receipts for later attempts must have come as well.',
    }),
    doubt_report_after: duration({
      default: 10 * MINUTE,
      min: SECOND,
      max: 7 * DAY,
      about: 'After this time in doubt a message is reported to the operator.',
    }),
    max_attempts: integer({
      default: null,
      min: 1,
      max: 10_000,
      aliases: [
        { name: 'MAX_RETRIES', plus: 1 },
        { name: 'MSG_SVC_MESSAGE_QUEUE_RETRY_LIMIT', plus: 1 },
        { name: 'MSG_SVC_WHATSAPP_RETRY_ATTEMPTS', plus: 1 },
      ],
      keys: [
        { name: 'message_queue.retry_limit', plus: 1 },
        { name: 'whatsapp.retry_attempts', plus: 1 },
      ],
      about: 'The most attempts for a message. Without a number it is tried until it expires.',
    }),
    backoff_base: duration({
      default: SECOND,
      min: 10,
      max: HOUR,
      aliases: [{ name: 'INITIAL_BACKOFF_SECONDS', unit: 's' }, 'MSG_SVC_WHATSAPP_RETRY_DELAY'],
      keys: ['whatsapp.retry_delay'],
      about: 'The longest wait before the first retry. It doubles with each, and the wait is drawn at random below it.',
    }),
    backoff_cap: duration({
      default: 15 * MINUTE,
      min: 10,
      max: DAY,
      aliases: [{ name: 'MAX_BACKOFF_SECONDS', unit: 's' }],
      about: 'The longest wait before any retry. A Retry-After of the provider may be longer.',
    }),
    messaging_reserve: integer({
      default: 10,
      min: 0,
      max: 90,
      about:
        'The part of the users that a portfolio may reach in 24 hours which is kept for authentication and utility, in percent. Marketing stops before it.',
    }),
    poll_interval: duration({
      default: 500,
      min: 10,
      max: MINUTE,
      about: 'How often the loops look for work that no signal told of.',
    }),
  },
  message_queue: {
    batch_size: integer({
      default: null,
      min: 1,
      max: 100_000,
      aliases: ['MSG_SVC_MESSAGE_QUEUE_BATCH_SIZE'],
      about: 'Paces each sender: at most so many messages leave in one `processing_interval`. Both or neither.',
    }),
    processing_interval: duration({
      default: null,
      min: 100,
      max: DAY,
      aliases: ['MSG_SVC_MESSAGE_QUEUE_PROCESSING_INTERVAL'],
      about: 'How often a paced sender may send its next `batch_size` messages.',
    }),
  },
  limits: {
    per_minute: integer({
      default: null,
      min: 1,
      max: 100_000,
      about: 'The most messages that leave a sender in a minute; the others wait. A sender may have its own.',
    }),
    per_day: integer({
      default: null,
      min: 1,
      max: 100_000_000,
      about: 'The most messages that a sender accepts in a day (UTC); more are refused. A sender may have its own.',
    }),
    monthly_quota: integer({
      default: null,
      min: 0,
      max: 1_000_000_000,
      about: 'The most messages that a tenant sends in a calendar month (UTC). A tenant may have its own.',
    }),
    requests_per_second: integer({
      default: null,
      min: 1,
      max: 100_000,
      about: 'The most requests a second that a tenant may make of the API, on average. A tenant may have its own.',
    }),
    request_burst: integer({
      default: null,
      min: 1,
      max: 1_000_000,
      about: 'How many requests may come at once. Without a number, those of two seconds.',
    }),
  },
  messages: {
    send_timeout: duration({
      default: 10 * SECOND,
      min: 100,
      max: MINUTE,
      about: 'How long `POST /api/v1/messages/send` waits until the message is sent, before it answers with its state.',
    }),
    validity: duration({
      default: 30 * DAY,
      min: 30 * SECOND,
      max: 30 * DAY,
      about: 'How long a message without `expires_at` may wait to be sent. 30 days is how long Meta keeps one.',
    }),
  },
  idempotency: {
    retention: duration({
      default: DAY,
      min: MINUTE,
      max: 7 * DAY,
      about: 'How long a repeated `Idempotency-Key` gets the first answer.',
    }),
  },
  consent: {
    keyword_scope: choice({
      default: 'marketing',
      words: ['marketing', 'all', 'off'],
      about:
        "What a customer opts out of, and in to again, by a keyword: marketing messages, or all messages. `off`: no customer's message is read for keywords.",
    }),
    opt_out_keywords: list<string>({
      default: OPT_OUT_WORDS,
      expects: 'words of 1 to 100 characters',
      parse: parseKeyword,
      show: (item) => item,
      about:
        'A customer whose whole message, or tapped button, is one of these opts out. Case, accents, and marks around it do not matter. A tenant may have its own.',
    }),
    opt_in_keywords: list<string>({
      default: OPT_IN_WORDS,
      expects: 'words of 1 to 100 characters',
      parse: parseKeyword,
      show: (item) => item,
      about: 'The same for opting in.',
    }),
  },
  exports: {
    retention: duration({
      default: 7 * DAY,
      min: MINUTE,
      max: 90 * DAY,
      about: 'How long an export is kept when it has ended. Then it is removed, with its file.',
    }),
  },
  webhooks: {
    retention: duration({
      default: 7 * DAY,
      min: HOUR,
      max: 90 * DAY,
      about: 'How long webhooks are kept as they came, after they were applied.',
    }),
    body_limit: bytes({
      default: 4 * MIB,
      min: 64 * KIB,
      max: 64 * MIB,
      about: 'The largest webhook that is taken in. Meta sends up to 3 MB.',
    }),
  },
  webhooks_out: {
    allow_private: boolean({
      default: false,
      about:
        "Lets customers' webhook endpoints lie at any address, this machine's included; `outgoing.allowed_networks` lets some.",
    }),
    timeout: duration({
      default: 15 * SECOND,
      min: SECOND,
      max: MINUTE,
      about: "How long a customer's webhook endpoint may take to answer.",
    }),
    disable_after: duration({
      default: 5 * DAY,
      min: HOUR,
      max: 90 * DAY,
      about: "After this time without one delivery that went well, a customer's webhook endpoint is disabled.",
    }),
    retention: duration({
      default: 30 * DAY,
      min: DAY,
      max: 365 * DAY,
      about: "How long deliveries to customers' webhooks are kept with what came of each try.",
    }),
  },
  webhook_channel: {
    url: url({
      default: null,
      keys: ['client.url'],
      about: "A webhook that messages are posted to instead of WhatsApp: it becomes the first tenant's default sender.",
    }),
    api_key: text({
      default: null,
      secret: true,
      keys: ['client.apiKey'],
      about: 'The key that is sent along to it.',
    }),
    header: text({
      default: 'x-api-key',
      pattern: /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/,
      expects: 'the name of a header',
      about: 'The header that the key travels in.',
    }),
    request_timeout: duration({
      default: 10 * SECOND,
      min: 100,
      max: 2 * MINUTE,
      about: 'How long a call to a webhook may take in all.',
    }),
  },
  outgoing: {
    allowed_networks: list<string>({
      default: [],
      expects: 'a host name, an address, or a range such as 10.0.0.0/8',
      parse: (item) => (/^[\w.:-]+(\/\d{1,3})?$/.test(item) ? item : undefined),
      show: (item) => item,
      about:
        "Where users' URLs may point beside public addresses. Without this, loopback, private and link-local ones are refused.",
    }),
  },
  media: {
    store: choice({
      default: 'auto',
      words: ['auto', 'disk', 's3'],
      about:
        'Where files lie: on the disk, or in an object storage that speaks as S3 does. `auto` is S3 when `media.s3.bucket` is set, else the disk.',
    }),
    folder: text({ default: null, about: 'The folder of files on the disk. Without one, `media` in the data folder.' }),
    max_file_size: bytes({
      default: 100 * MB,
      min: KIB,
      max: 2 * 1024 * MIB,
      aliases: ['AWS_S3_MAX_FILE_SIZE'],
      about: "The largest file that is taken in. WhatsApp's own limit for its type counts where it is smaller.",
    }),
    upload_timeout: duration({
      default: 10 * MINUTE,
      min: SECOND,
      max: HOUR,
      about: 'How long an upload may take to arrive whole. Other requests have `server.request_timeout`.',
    }),
    fetch_timeout: duration({
      default: MINUTE,
      min: SECOND,
      max: 10 * MINUTE,
      about: 'How long it may take to fetch a file from a URL that a request names.',
    }),
    link_lifetime: duration({
      default: 15 * MINUTE,
      min: SECOND,
      max: 7 * DAY,
      about: 'How long the link to a file works that `GET /api/v1/media/{id}` gives.',
    }),
    s3: {
      bucket: text({
        default: null,
        aliases: ['AWS_S3_BUCKET'],
        about: 'The bucket. It has to be there, and should be readable by nobody else.',
      }),
      region: text({
        default: 'us-east-1',
        aliases: ['AWS_REGION', 'AWS_DEFAULT_REGION'],
        about: 'Its region. Most servers but those of Amazon take any.',
      }),
      endpoint: url({
        default: null,
        aliases: ['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL'],
        about: "Where the object storage is. Without one, Amazon's own for the region.",
      }),
      access_key_id: text({
        default: null,
        secret: true,
        aliases: ['AWS_ACCESS_KEY_ID'],
        about: 'Who asks. Without one, the surroundings tell, such as the role of the machine.',
      }),
      secret_access_key: text({
        default: null,
        secret: true,
        aliases: ['AWS_SECRET_ACCESS_KEY'],
        about: 'The secret of that key.',
      }),
      session_token: text({
        default: null,
        secret: true,
        aliases: ['AWS_SESSION_TOKEN'],
        about: 'What a key that is lent for a while needs beside its secret.',
      }),
      path_style: boolean({
        default: false,
        about: 'Names the bucket in the path and not in the host name, as most servers but those of Amazon want it.',
      }),
      prefix: text({
        default: '',
        pattern: /^[\w./-]{0,200}$/,
        expects: 'letters, digits and . _ - /',
        about: 'What stands before the key of each object, such as `aldis/`.',
      }),
    },
  },
  auth: {
    user_scopes: list<UserScope>({
      default: ['conversations:read', 'conversations:write'],
      expects: `one of ${USER_SCOPES.join(', ')}`,
      parse: (item) => USER_SCOPES.find((scope) => scope === item),
      show: (item) => item,
      about:
        "What users may do who come with a token or by a gateway, at most. More than the scopes of conversations shows each of them what is the whole tenant's.",
    }),
    user_requests_per_second: integer({
      default: null,
      min: 1,
      max: 10_000,
      about:
        'The most requests a second that each of these users may make on an instance, on average; twice as many at once. They count against the rate of his tenant too.',
    }),
    jwt: {
      issuer: text({
        default: null,
        about: "Who signs users' JSON Web Tokens: their claim `iss`. With it, tokens are taken in the place of keys.",
      }),
      audience: list<string>({
        default: [],
        expects: 'the name of an audience',
        parse: (item) => (item === '' ? undefined : item),
        show: (item) => item,
        about: 'Whom tokens are meant for: one of these has to be in their claim `aud`.',
      }),
      algorithms: list<SignatureAlgorithm>({
        default: ['RS256', 'ES256', 'EdDSA'],
        expects: `one of ${SIGNATURE_ALGORITHMS.join(', ')}`,
        parse: (item) => SIGNATURE_ALGORITHMS.find((algorithm) => algorithm === item),
        show: (item) => item,
        about: 'How tokens may be signed. HS256 and its like only when they are named here.',
      }),
      jwks_url: url({
        default: null,
        about: 'Where the issuer publishes its keys. Read again when a token names a new one, at most every 30 s.',
      }),
      public_key: text({
        default: null,
        pattern: /-----BEGIN PUBLIC KEY-----/,
        expects: 'a public key in PEM, which begins with -----BEGIN PUBLIC KEY-----',
        about:
          "The issuer's one public key, in PEM, in the place of `auth.jwt.jwks_url`. Breaks of lines may be written \\n.",
      }),
      secret: text({
        default: null,
        secret: true,
        pattern: /^.{32,}$/s,
        expects: '32 characters or more',
        about: 'The secret that is shared with the issuer, for HS256 and its like.',
      }),
      user_claim: text({ default: 'sub', ...CLAIM, about: 'The claim that names the user.' }),
      tenant_claim: text({
        default: null,
        ...CLAIM,
        about: "The claim that names the user's tenant, by its own or external id.",
      }),
      tenant: text({
        default: null,
        about: 'The tenant of all users, where no claim names one: its own or external id.',
      }),
      scopes_claim: text({
        default: null,
        ...CLAIM,
        about:
          'The claim that says which of `auth.user_scopes` a token has, such as `scope`. Without one it has all of them.',
      }),
      clock_tolerance: duration({
        default: 5 * SECOND,
        min: 0,
        max: 5 * MINUTE,
        about: "How far the issuer's clock may be from ours.",
      }),
    },
    gateway: {
      addresses: list<string>({
        default: [],
        expects: 'an address or a range such as 10.0.0.0/8',
        parse: parseNetwork,
        show: (item) => item,
        about:
          "Gateways that have found out who asks: a request from there with `X-User-ID` and without a key is that user's. The address of the connection counts, never X-Forwarded-For.",
      }),
      tenant: text({ default: null, about: 'The tenant that gateways speak for: its own or external id.' }),
    },
  },
  ws: {
    client_buffer_size: integer({
      default: 256,
      min: 8,
      max: 100_000,
      aliases: ['WS_CLIENT_BUFFER_SIZE'],
      about: 'The most frames that wait for one WebSocket. A slower client is closed with a code that means: resume.',
    }),
    max_frame_size: bytes({
      default: 64 * KIB,
      min: KIB,
      max: MIB,
      about: 'The largest frame that a client may send.',
    }),
    max_connections: integer({
      default: 20_000,
      min: 1,
      max: 1_000_000,
      about: 'The most WebSockets of one instance. More are answered 503.',
    }),
    frames_per_second: integer({
      default: 50,
      min: 1,
      max: 10_000,
      about: 'How many frames a second a client may send on average; twice as many at once.',
    }),
    says_per_second: integer({
      default: 20,
      min: 1,
      max: 10_000,
      about: 'How often a second a user may say or change something by WebSocket on average; twice as often at once.',
    }),
  },
  redis: {
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
  },
  events: {
    retention: duration({
      default: 30 * DAY,
      min: DAY,
      max: 3650 * DAY,
      about:
        'How long events are kept. What webhooks, Kafka or another consumer of ours has not read yet is kept for at most 7 days more.',
    }),
  },
  offline: {
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
  },
  kafka: {
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
  },
  tenant_service: {
    url: url({
      default: null,
      aliases: ['TENANT_SERVICE_URL'],
      about: "A service that is asked for a tenant's quota before each accept, and for an outlet's credentials.",
    }),
    timeout: duration({ default: 2 * SECOND, min: 100, max: 30 * SECOND, about: 'How long it may take to answer.' }),
    cache: duration({
      default: 5 * SECOND,
      min: 0,
      max: HOUR,
      about: 'How long its answers are believed.',
    }),
    when_down: choice({
      default: 'allow',
      words: ['allow', 'refuse'],
      about: 'Whether messages are accepted, with a warning, while it does not answer.',
    }),
  },
  conversation_service: {
    url: url({
      default: null,
      aliases: ['CONVERSATION_SERVICE_URL'],
      about:
        'A service that every message is stored in once it is sent, from the first start with this setting on. While it is down, or the setting is away, they wait; none is lost.',
    }),
    timeout: duration({ default: 5 * SECOND, min: 100, max: MINUTE, about: 'How long it may take to answer.' }),
  },
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

function parseKeyword(item: string): string | undefined {
  return item.length >= 1 && item.length <= 100 && !/[\p{Cc}\p{Cs}]/u.test(item) ? item : undefined;
}

function parseNetwork(item: string): string | undefined {
  const [address = '', bits, ...more] = item.split('/');
  const most = { 4: 32, 6: 128 }[isIP(address)];
  if (most === undefined || more.length > 0) return undefined;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most) ? item : undefined;
}

function parseEncryptionKey(item: string): EncryptionKey | undefined {
  const match = /^([1-9]\d{0,8}):([A-Za-z0-9+/]{43}=)$/.exec(item);
  const [, version, key] = match ?? [];
  return version !== undefined && key !== undefined ? { version: Number(version), key } : undefined;
}
