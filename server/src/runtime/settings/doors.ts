import { isIP } from 'node:net';
import { bytes, duration, integer, list, text, url } from '../setting.ts';
import { HOUR, KIB, MIB, MINUTE, SECOND } from '../units.ts';

/* What listens: HTTP, who may speak, sockets. */

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

export const SERVER = {
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
} as const;

export const AUTH = {
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
} as const;

export const WS = {
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
} as const;

function parseNetwork(item: string): string | undefined {
  const [address = '', bits, ...more] = item.split('/');
  const most = { 4: 32, 6: 128 }[isIP(address)];
  if (most === undefined || more.length > 0) return undefined;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most) ? item : undefined;
}
