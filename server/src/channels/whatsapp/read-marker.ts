import { providerError } from '../../domain/provider-errors.ts';
import type { ReadMarker, ReadMarkOutcome } from '../../domain/read-mark.ts';
import type { ProviderClient, ProviderResponse } from '../../net/provider-client.ts';
import { isRecord, readAnswer } from './answer.ts';

/** Tells WhatsApp what was read, and where an answer is being written. Meta: messages/mark-message-as-read, typing-indicators. */
export function whatsappReadMarker({ client, version }: { client: ProviderClient; version: string }): ReadMarker {
  return {
    async markRead(sender, id, typing) {
      try {
        const response = await client.post({
          path: `/${version}/${sender.phone_number_id}/messages`,
          headers: { authorization: `Bearer ${sender.access_token}`, 'content-type': 'application/json' },
          body: JSON.stringify({
            messaging_product: 'whatsapp',
            status: 'read',
            message_id: id,
            ...(typing ? { typing_indicator: { type: 'text' } } : undefined),
          }),
          stop: () => null,
        });
        return outcomeOf(response);
      } catch (error) {
        return { kind: 'later', detail: error instanceof Error ? error.message : String(error), retryAfter: null };
      }
    },
    close: () => client.close(),
  };
}

function outcomeOf(response: ProviderResponse): ReadMarkOutcome {
  if (response.status === 200 && saysSuccess(response.body)) return { kind: 'told' };
  const outcome = readAnswer(response);
  if (outcome.kind === 'error') {
    const { code, title, retryAfter } = outcome;
    const detail = `${code}: ${title}`;
    return providerError(code).class === 'refuse' ? { kind: 'refused', detail } : { kind: 'later', detail, retryAfter };
  }
  return { kind: 'later', detail: `HTTP ${response.status} without an answer of the Graph API`, retryAfter: null };
}

function saysSuccess(body: string): boolean {
  try {
    const answer: unknown = JSON.parse(body);
    return isRecord(answer) && answer['success'] === true;
  } catch {
    return false;
  }
}
