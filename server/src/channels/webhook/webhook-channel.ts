import type { Attempt, Channel, WebhookSender } from '../../domain/channel.ts';
import type { GuardedFetch } from '../../net/guarded-fetch.ts';
import { NotSent } from '../../net/provider-client.ts';
import { failpoint } from '../../runtime/failpoints.ts';
import { readWebhookAnswer } from './webhook-answer.ts';

/**
 * A user's webhook as a channel, as batch-processor calls it: POST {"to", "content", "message_id"} with a key in a header. Any
 * 2xx is *sent*, and that is final, for no receipts come. What is unknown is sent again, under the same Idempotency-Key: at
 * least once, and a webhook that must act only once goes by that key, or by `message_id`, which is the same.
 */
export function webhookChannel(client: GuardedFetch): Channel<WebhookSender> {
  return {
    prepare(attempt, { url, header, key }) {
      return {
        path: url,
        headers: {
          'content-type': 'application/json',
          accept: 'application/json',
          'idempotency-key': attempt.message_id,
          ...(key === null ? {} : { [header]: key }),
        },
        body: JSON.stringify(webhookBody(attempt)),
      };
    },
    async call({ path, headers, body }, stop) {
      try {
        const answer = await client.send({
          method: 'POST',
          url: path,
          headers,
          body,
          stop: () => {
            const reason = stop();
            if (reason === null) void failpoint('call.before_write');
            return reason;
          },
        });
        await failpoint('call.after_answer');
        // The key names the message whose id stands in for one that the webhook does not give.
        return readWebhookAnswer(answer, headers['idempotency-key'] ?? '');
      } catch (error) {
        const detail = error instanceof Error ? error.message : String(error);
        if (error instanceof NotSent) return { kind: 'not_sent', detail };
        return { kind: 'again', code: 0, title: 'no answer', detail, retryAfter: null };
      }
    },
    close: () => client.close(),
  };
}

/** The documented three; beside them what else the content has, by its own names, and a template. */
function webhookBody({ message_id, address, content, template }: Attempt): Record<string, unknown> {
  const { text = '', ...parts } = content ?? {};
  return { to: address, content: text, message_id, ...parts, ...(template === null ? {} : { template }) };
}
