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

function body({ type, content, template }: Attempt): object {
  switch (type) {
    case 'text':
      return { body: content?.text ?? '' };
    case 'template':
      return {
        name: template?.name,
        language: { code: template?.language },
        ...(template?.components ? { components: template.components } : undefined),
      };
    case 'audio':
      return { link: content?.media_url };
    case 'document':
      return media(content, content?.filename);
    default:
      return media(content, undefined);
  }
}

function media(content: Content | null, filename: string | undefined): object {
  return {
    link: content?.media_url,
    ...(content?.text ? { caption: content.text } : undefined),
    ...(filename ? { filename } : undefined),
  };
}
