import type { WebhookItem } from '../channels/whatsapp/webhook.ts';

type CustomerMessage = Extract<WebhookItem, { kind: 'message' }>;

/**
 * What is kept of a customer's message: the text of a text message as content; of every other type the raw item, and
 * `unsupported` says that nothing reads it yet.
 */
export function customerContent({ type, raw }: CustomerMessage): Record<string, unknown> {
  const text = raw['text'];
  if (type === 'text' && typeof text === 'object' && text !== null && 'body' in text && typeof text.body === 'string') {
    return { text: text.body };
  }
  return { unsupported: true, raw };
}
