import { AldisError } from './errors.ts';

/** A sender: what messages leave from. A business number on WhatsApp, or a webhook of the tenant's. */
export const CHANNELS = ['whatsapp', 'webhook'] as const;
export type ChannelName = (typeof CHANNELS)[number];

/** What becomes of free text to a customer whose window is closed: it is refused here, or sent for WhatsApp to judge. */
export const OUTSIDE_WINDOW = ['refuse', 'send'] as const;
export type OutsideWindow = (typeof OUTSIDE_WINDOW)[number];

/** What a sender has whatever its channel. null in the four limits: what the configuration says. */
export interface SenderSettings {
  external_id: string | null;
  name: string;
  messages_per_second: number;
  per_minute: number | null;
  per_day: number | null;
  /** At most so many leave in each `processing_interval_ms`. Both or neither. */
  batch_size: number | null;
  processing_interval_ms: number | null;
  is_default: boolean;
  enabled: boolean;
  outside_window: OutsideWindow;
}

/** What leads out, by channel: never null in its own channel, but for a webhook's header and key. */
export interface SenderRoute {
  channel: ChannelName;
  phone: string | null;
  phone_number_id: string | null;
  /** The WhatsApp Business Account. */
  account_id: string | null;
  webhook_url: string | null;
  webhook_header: string | null;
}

/** The secrets of a sender, as they are given. They are written, and never read back. */
export interface SenderSecrets {
  access_token?: string;
  /** null: the webhook takes none. */
  webhook_key?: string | null;
}

const OF_CHANNEL: Readonly<Record<ChannelName, readonly string[]>> = {
  whatsapp: ['phone', 'phone_number_id', 'account_id', 'portfolio_id', 'access_token'],
  webhook: ['webhook_url', 'webhook_header', 'webhook_key'],
};

const NEEDED: Readonly<Record<ChannelName, readonly string[]>> = {
  whatsapp: ['phone', 'phone_number_id', 'account_id', 'access_token'],
  webhook: ['webhook_url'],
};

/** Headers of a call to a webhook that are not the key's: they are ours, or the connection's. */
const TAKEN_HEADERS = /^(content-.*|transfer-encoding|connection|host|idempotency-key|expect|upgrade|te|trailer)$/i;

const HEADER_VALUE = /^[\x21-\x7e]+$/;

/**
 * Holds what a request says of a sender against its channel.
 * @param said the fields of the request; those that are undefined are absent.
 * @param isNew whether the sender is to be made: then what its channel needs has to be there.
 * @throws {AldisError} `missing_field`, `invalid_field`
 */
export function checkSenderFields(channel: ChannelName, said: Readonly<Record<string, unknown>>, isNew: boolean): void {
  for (const other of CHANNELS) {
    if (other === channel) continue;
    const field = OF_CHANNEL[other].find((name) => said[name] !== undefined);
    if (field !== undefined) {
      throw new AldisError(
        'invalid_field',
        `${field} belongs to senders of channel ${other}; this is one of ${channel}.`,
        {
          field,
        },
      );
    }
  }
  if (isNew) {
    const field = NEEDED[channel].find((name) => said[name] === undefined);
    if (field !== undefined) {
      throw new AldisError('missing_field', `${field} is required for channel ${channel}.`, { field });
    }
  }
  const { webhook_url, webhook_header, webhook_key } = said;
  if (typeof webhook_url === 'string' && !isWebhookUrl(webhook_url)) {
    throw new AldisError(
      'invalid_field',
      'webhook_url must be an absolute http or https URL without a user or password.',
      {
        field: 'webhook_url',
      },
    );
  }
  for (const [field, value] of Object.entries({ webhook_key, access_token: said['access_token'] })) {
    if (typeof value === 'string' && !HEADER_VALUE.test(value)) {
      throw new AldisError('invalid_field', `${field} must be visible ASCII characters: it travels in a header.`, {
        field,
      });
    }
  }
  if (typeof webhook_header === 'string' && TAKEN_HEADERS.test(webhook_header)) {
    throw new AldisError(
      'invalid_field',
      `webhook_header cannot be ${webhook_header}: that header has a use of its own.`,
      {
        field: 'webhook_header',
      },
    );
  }
}

/** A batch size alone would be silently without effect. @throws {AldisError} `missing_field` */
export function checkPace({ batch_size, processing_interval_ms }: SenderSettings): void {
  if ((batch_size === null) === (processing_interval_ms === null)) return;
  const field = batch_size === null ? 'batch_size' : 'processing_interval_ms';
  throw new AldisError('missing_field', `${field} is required: batch_size and processing_interval_ms go together.`, {
    field,
  });
}

/** An URL that is shown to whoever may read senders carries no secret. Where it may point is judged when it is called. */
function isWebhookUrl(text: string): boolean {
  if (/[\p{Cc}\p{Cs}\s]/u.test(text) || !URL.canParse(text)) return false;
  const { protocol, username, password, hostname } = new URL(text);
  return /^https?:$/.test(protocol) && hostname !== '' && username === '' && password === '';
}
