/**
 * Names that the documented services read and Aldis does not, or not yet: they are told at start and do no harm, so that
 * a service's own file and environment start Aldis as they stand. Everything else that is unknown is an error.
 */
interface UnusedName {
  /** As the reference page shows it. */
  readonly name: string;
  /** The whole name, in the environment or as a key of a file. */
  readonly matches: RegExp;
  readonly why: string;
}

const NO_REDIS = 'not used yet: signals stay in the process, and the instances look into the database';
const NO_CHAT = 'not used yet: there is no WebSocket so far';

/** Of the environment. */
export const UNUSED_VARIABLES: readonly UnusedName[] = [
  { name: 'MSG_SVC_REDIS_*', matches: /^MSG_SVC_REDIS_\w+$/, why: NO_REDIS },
  {
    name: 'REDIS_HOST, REDIS_PORT, REDIS_ADDR, REDIS_URL, REDIS_URI, REDIS_PASSWORD, REDIS_DB, REDIS_TTL',
    matches: /^REDIS_(HOST|PORT|ADDR|URL|URI|PASSWORD|DB|TTL)$/,
    why: NO_REDIS,
  },
  {
    name: 'KAFKA_BROKERS, KAFKA_TOPIC…, KAFKA_GROUP_ID, KAFKA_CLIENT_ID',
    matches: /^KAFKA_(BROKERS|TOPIC\w*|GROUP_ID|CLIENT_ID)$/,
    why: 'not used yet: events are read by GET /api/v1/events',
  },
  { name: 'WS_*', matches: /^WS_\w+$/, why: NO_CHAT },
  { name: 'JWT_*', matches: /^JWT_\w+$/, why: 'not used yet: who asks is told by an API key' },
  { name: 'MSG_SVC_*', matches: /^MSG_SVC_\w+$/, why: 'not known here' },
];

/** Keys of files, with all below them. */
export const UNUSED_KEYS: readonly UnusedName[] = [
  { name: 'mongo.*', matches: /^mongo(\..+)?$/, why: 'not used: PostgreSQL is the one store' },
  { name: 'redis.*', matches: /^redis(\..+)?$/, why: NO_REDIS },
];

interface RetiredValue {
  /** Of the setting. */
  readonly key: string;
  readonly matches: RegExp;
  readonly why: string;
}

/** Values that were right once: the default is taken in their place. */
export const RETIRED_VALUES: readonly RetiredValue[] = [
  {
    key: 'whatsapp.api_url',
    matches: /^https?:\/\/api\.whatsapp\.com(\/|$)/i,
    why: 'is not where the WhatsApp Cloud API is; https://graph.facebook.com is used',
  },
];
