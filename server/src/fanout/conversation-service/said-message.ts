import type { SaidMessage } from '../../outside/conversation-service.ts';
import type { SentMessage } from '../../store/sent-messages.read.ts';

/** What the conversation service is told of a sent message. It keeps texts: what has none is named by its link or template. */
export function saidMessage({ conversation_id, sender_type, content, template, wamid }: SentMessage): SaidMessage {
  const { text, media_url } = (content ?? {}) as { text?: string; media_url?: string };
  return {
    conversation_id,
    sender_type: sender_type ?? 'llm',
    content: text ?? media_url ?? template?.name ?? '',
    whatsapp_message_id: wamid,
  };
}
