import type { Channel, WhatsAppSender } from '../../domain/channel.ts';
import { NotSent, type ProviderClient } from '../../net/provider-client.ts';
import { failpoint } from '../../runtime/failpoints.ts';
import { readAnswer } from './answer.ts';
import type { Marker } from './mark.ts';
import { messagePayload } from './payload.ts';

export interface WhatsAppChannelOptions {
  client: ProviderClient;
  marker: Marker;
  /** Of the Graph API: `v26.0`. */
  version: string;
}

/** The WhatsApp Cloud API as a channel. */
export function whatsappChannel({ client, marker, version }: WhatsAppChannelOptions): Channel<WhatsAppSender> {
  return {
    prepare(attempt, sender) {
      const mark = marker.write({
        message: attempt.message_id,
        attempt: attempt.attempt,
        startedAt: attempt.started_at,
      });
      return {
        path: `/${version}/${sender.phone_number_id}/messages`,
        headers: { authorization: `Bearer ${sender.access_token}`, 'content-type': 'application/json' },
        body: JSON.stringify(messagePayload(attempt, mark)),
      };
    },
    async call(prepared, stop) {
      let stopped = false;
      try {
        const response = await client.post({
          ...prepared,
          stop: () => {
            const reason = stop();
            stopped = reason !== null;
            if (reason === null) void failpoint('call.before_write');
            return reason;
          },
          sent: () => void failpoint('call.after_write'),
        });
        await failpoint('call.after_answer');
        return readAnswer(response);
      } catch (error) {
        const detail = error instanceof Error ? error.message : String(error);
        if (!(error instanceof NotSent)) return { kind: 'unknown', detail };
        return stopped ? { kind: 'not_sent', detail, own: true } : { kind: 'not_sent', detail };
      }
    },
    close: () => client.close(),
  };
}
