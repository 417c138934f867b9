/**
 * The defaults that the documented services have in place of ours: one service's own are a layer between our defaults and
 * everything that is set. Values are written as in a file; each is read by its setting, and a test holds that. What a
 * service takes from its surroundings (where its database and its neighbours are) is no default here: absent means off.
 */
export const PROFILE_NAMES = ['aldis', 'bulk', 'sender', 'chat', 'queue', 'batch'] as const;
export type ProfileName = (typeof PROFILE_NAMES)[number];

/** By the key of the setting. */
export type ProfileValues = Readonly<Record<string, string>>;

/** Three retries are four attempts. */
const THREE_RETRIES = '4';

export const PROFILES: Readonly<Record<ProfileName, ProfileValues>> = {
  aldis: {},
  bulk: {
    'service.name': 'message-service',
    'server.port': '8080',
    'server.request_timeout': '30s',
    'server.write_timeout': '30s',
    'database.name': 'whatsapp_messages',
    'database.max_connections': '25',
    'database.connection_lifetime': '15m',
    'whatsapp.request_timeout': '30s',
    'engine.max_attempts': THREE_RETRIES,
    'engine.backoff_base': '5s',
    'message_queue.batch_size': '100',
    'message_queue.processing_interval': '5s',
  },
  sender: {
    'service.name': 'message-sender-service',
    'server.port': '3006',
    'whatsapp.request_timeout': '10s',
    'engine.max_attempts': THREE_RETRIES,
    'engine.backoff_base': '1s',
    'engine.backoff_cap': '30s',
  },
  chat: {
    'service.name': 'message-service',
    'server.port': '8083',
    'log.level': 'info',
  },
  queue: {
    'service.name': 'message-system',
    'whatsapp.max_in_flight': '10',
    'engine.max_attempts': THREE_RETRIES,
    'engine.backoff_base': '5s',
    'limits.per_minute': '20',
    'limits.per_day': '1000',
    'media.max_file_size': '10MiB',
  },
  batch: {
    'service.name': 'messaging-system',
    'server.port': '80',
    'message_queue.batch_size': '2',
    'message_queue.processing_interval': '2m',
  },
};
