import type { Attempt } from '../../domain/channel.ts';
import type { Content } from '../../domain/message.ts';

/**
 * The body of `POST /{phone_number_id}/messages` of the Cloud API (Meta's page messages/send-messages, v26). Numbers always
 * carry their `+`: without it Meta would put the business's own country code before them.
 */
export function messagePayload(attempt: Attempt, mark: string): object {
  return {
    messaging_product: 'whatsapp',
    recipient_type: 'individual',
    ...(attempt.address.startsWith('+') ? { to: attempt.address } : { recipient: attempt.address }),
    type: attempt.type,
    ...(attempt.reply_to === null ? undefined : { context: { message_id: attempt.reply_to } }),
    [attempt.type]: body(attempt),
    biz_opaque_callback_data: mark,
  };
}

function body(attempt: Attempt): unknown {
  const { type, template } = attempt;
  const content = attempt.content ?? {};
  switch (type) {
    case 'text':
      return { body: content.text ?? '', ...present({ preview_url: content.preview_url }) };
    case 'template':
      return {
        name: template?.name,
        language: { code: template?.language },
        ...present({ components: template?.components }),
      };
    case 'image':
    case 'video':
      return { ...fileOf(attempt, content), ...captionOf(content) };
    case 'document':
      return { ...fileOf(attempt, content), ...captionOf(content), ...present({ filename: content.filename }) };
    case 'audio':
      return { ...fileOf(attempt, content), ...present({ voice: content.voice }) };
    case 'sticker':
      return fileOf(attempt, content);
    case 'location':
      return content.location;
    case 'contacts':
      return content.contacts;
    case 'reaction': {
      const { whatsapp_message_id, message_id, emoji } = content.reaction ?? {};
      return { message_id: whatsapp_message_id ?? message_id, emoji };
    }
    case 'interactive':
      return content.interactive;
    default:
      throw new Error(`there is no payload for a message of type ${type}`);
  }
}

/** A file by the provider's own id of it, or by its address. */
function fileOf({ provider_media_id }: Attempt, { media_url }: Content): object {
  return provider_media_id ? { id: provider_media_id } : { link: media_url };
}

function captionOf({ text }: Content): object | undefined {
  return text ? { caption: text } : undefined;
}

/** What is there of these. */
function present(parts: Record<string, unknown>): object {
  return Object.fromEntries(Object.entries(parts).filter(([, part]) => part !== undefined));
}
