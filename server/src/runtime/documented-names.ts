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

const NO_CHAT = 'not used: of a WebSocket, WS_CLIENT_BUFFER_SIZE is what is set by such a name';

/** Of the environment. */
export const UNUSED_VARIABLES: readonly UnusedName[] = [
  {
    name: 'KAFKA_TOPIC…, KAFKA_GROUP_ID',
    matches: /^KAFKA_(TOPIC\w*|GROUP_ID)$/,
    why: 'not used: topics are named by kafka.topic_prefix and kafka.notifications_topic, and nothing is read from Kafka',
  },
  { name: 'WS_*', matches: /^WS_\w+$/, why: NO_CHAT },
  {
    name: 'JWT_*',
    matches: /^JWT_\w+$/,
    why: 'not known here: how tokens of users are checked is said under auth.jwt',
  },
  { name: 'MSG_SVC_*', matches: /^MSG_SVC_\w+$/, why: 'not known here' },
];

/** Keys of files, with all below them. */
export const UNUSED_KEYS: readonly UnusedName[] = [
  { name: 'mongo.*', matches: /^mongo(\..+)?$/, why: 'not used: PostgreSQL is the one store' },
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
