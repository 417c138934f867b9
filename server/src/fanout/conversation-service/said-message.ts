import { plainText } from '../../domain/content/plain-text.ts';
import type { SaidMessage } from '../../outside/conversation-service.ts';
import type { SentMessage } from '../../store/sent-messages.read.ts';

/** What the conversation service is told of a sent message. It keeps texts: what has none is named by what it has. */
export function saidMessage({ conversation_id, sender_type, content, template, wamid }: SentMessage): SaidMessage {
  return {
    conversation_id,
    sender_type: sender_type ?? 'llm',
    content: plainText(content, template),
    whatsapp_message_id: wamid,
  };
}
